//! The kinds of personal data, by the names that Presidio gave them.

/// One kind of personal data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entity {
    /// Its name in configurations and reports.
    pub(crate) name: &'static str,
    /// What stands in its place, between `<` and `>`.
    pub(crate) token: &'static str,
    /// Other names that configurations may use.
    aliases: &'static [&'static str],
    /// What finds it.
    pub(crate) kind: Kind,
    /// Whether it is looked for unless the configuration says otherwise.
    pub(crate) default: bool,
}

/// What finds an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Email,
    Phone,
    Card,
    Iban,
    Crypto,
    Ip,
    Mac,
    Person,
    Street,
    /// A row of the tables in `rules/`.
    Form,
}

impl Kind {
    pub(crate) fn bit(self) -> u64 {
        1 << self as u64
    }

    /// The entity that this finds.
    pub(crate) fn entity(self) -> &'static Entity {
        let mut all = ENTITIES.iter();
        all.find(|entity| entity.kind == self).unwrap_or(&OTHER)
    }
}

const fn entity(
    name: &'static str,
    token: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    default: bool,
) -> Entity {
    Entity {
        name,
        token,
        aliases,
        kind,
        default,
    }
}

const fn form(name: &'static str) -> Entity {
    entity(name, name, &[], Kind::Form, false)
}

/// What a list of one's own holds, if it says nothing else.
static OTHER: Entity = form("CUSTOM");

static ENTITIES: &[Entity] = &[
    entity(
        "EMAIL_ADDRESS",
        "EMAIL",
        &["EMAIL", "MAIL"],
        Kind::Email,
        true,
    ),
    entity("PHONE_NUMBER", "PHONE", &["PHONE"], Kind::Phone, true),
    entity("CREDIT_CARD", "CREDIT_CARD", &["CARD"], Kind::Card, true),
    entity("IBAN_CODE", "IBAN", &["IBAN"], Kind::Iban, true),
    entity("CRYPTO", "CRYPTO", &["BITCOIN", "BTC"], Kind::Crypto, true),
    entity("IP_ADDRESS", "IP", &["IP"], Kind::Ip, true),
    entity(
        "PERSON",
        "PERSON",
        &["NAME", "PERSON_NAME"],
        Kind::Person,
        true,
    ),
    entity("US_SSN", "US_SSN", &["SSN"], Kind::Form, true),
    entity("US_ITIN", "US_ITIN", &["ITIN"], Kind::Form, true),
    entity(
        "US_PASSPORT",
        "US_PASSPORT",
        &["PASSPORT"],
        Kind::Form,
        true,
    ),
    entity(
        "MEDICAL_LICENSE",
        "MEDICAL_LICENSE",
        &["DEA"],
        Kind::Form,
        true,
    ),
    entity("MAC_ADDRESS", "MAC", &["MAC"], Kind::Mac, false),
    entity(
        "STREET_ADDRESS",
        "ADDRESS",
        &["ADDRESS"],
        Kind::Street,
        false,
    ),
    entity(
        "DATE_OF_BIRTH",
        "DATE_OF_BIRTH",
        &["DOB", "BIRTHDAY"],
        Kind::Form,
        false,
    ),
    form("ABA_ROUTING_NUMBER"),
    form("AU_ABN"),
    form("AU_ACN"),
    form("AU_TFN"),
    form("AU_MEDICARE"),
    form("BR_CNPJ"),
    form("BR_CPF"),
    form("CA_SIN"),
    form("CN_RESIDENT_ID"),
    form("CN_MOBILE"),
    form("DE_TAX_ID"),
    form("ES_NIE"),
    form("ES_NIF"),
    form("FI_PERSONAL_IDENTITY_CODE"),
    form("FR_NIR"),
    form("IN_AADHAAR"),
    form("IN_PAN"),
    form("IT_FISCAL_CODE"),
    form("IT_VAT_CODE"),
    form("KR_RRN"),
    form("NL_BSN"),
    form("PL_PESEL"),
    form("PT_NIF"),
    form("SE_PERSONNUMMER"),
    form("SG_NRIC_FIN"),
    form("TH_TNIN"),
    form("TR_NATIONAL_ID"),
    form("UK_NHS"),
    form("UK_NINO"),
    form("US_BANK_NUMBER"),
    form("US_DRIVER_LICENSE"),
    form("US_MBI"),
    form("US_NPI"),
    form("ZA_ID_NUMBER"),
];

/// All that are known.
pub(crate) fn all() -> impl Iterator<Item = &'static Entity> {
    ENTITIES.iter()
}

/// The entity of a name or alias, in upper or lower case; the error names the nearest.
pub(crate) fn named(wanted: &str) -> Result<&'static Entity, String> {
    let upper = wanted.to_ascii_uppercase();
    if let Some(known) = all().find(|it| it.name == upper || it.aliases.contains(&upper.as_str())) {
        return Ok(known);
    }
    let names = all().flat_map(|it| std::iter::once(&it.name).chain(it.aliases));
    let nearest = names
        .min_by_key(|name| strsim::damerau_levenshtein(name, &upper))
        .unwrap_or(&"");
    Err(format!(
        "there is no entity {wanted:?}; did you mean {nearest:?}?"
    ))
}
