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
    Url,
    Location,
    People,
    Organization,
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
    entity(
        "LOCATION",
        "LOCATION",
        &["GPE", "PLACE"],
        Kind::Location,
        false,
    ),
    entity("NRP", "NRP", &["NATIONALITY"], Kind::People, false),
    entity(
        "ORGANIZATION",
        "ORGANIZATION",
        &["ORG"],
        Kind::Organization,
        false,
    ),
    entity("URL", "URL", &["LINK"], Kind::Url, false),
    form("ABA_ROUTING_NUMBER"),
    form("AU_ABN"),
    form("AU_ACN"),
    form("AU_MEDICARE"),
    form("AU_TFN"),
    form("AGE"),
    form("BR_CNPJ"),
    form("BR_CPF"),
    form("CA_POSTAL_CODE"),
    form("CA_SIN"),
    form("CN_MOBILE"),
    form("CN_RESIDENT_ID"),
    form("DATE_TIME"),
    form("DE_BSNR"),
    form("DE_FUEHRERSCHEIN"),
    form("DE_HANDELSREGISTER"),
    form("DE_HEALTH_INSURANCE"),
    form("DE_ID_CARD"),
    form("DE_KFZ"),
    form("DE_LANR"),
    form("DE_PASSPORT"),
    form("DE_PLZ"),
    form("DE_SOCIAL_SECURITY"),
    form("DE_TAX_ID"),
    form("DE_TAX_NUMBER"),
    form("DE_VAT_ID"),
    form("ES_CIF"),
    form("ES_NIE"),
    form("ES_NIF"),
    form("ES_PASSPORT"),
    form("FI_PERSONAL_IDENTITY_CODE"),
    form("FR_NIR"),
    form("IN_AADHAAR"),
    form("IN_GSTIN"),
    form("IN_PAN"),
    form("IN_PASSPORT"),
    form("IN_VEHICLE_REGISTRATION"),
    form("IN_VOTER"),
    form("IT_DRIVER_LICENSE"),
    form("IT_FISCAL_CODE"),
    form("IT_IDENTITY_CARD"),
    form("IT_PASSPORT"),
    form("IT_VAT_CODE"),
    form("KR_BRN"),
    form("KR_DRIVER_LICENSE"),
    form("KR_FRN"),
    form("KR_PASSPORT"),
    form("KR_RRN"),
    form("NG_NIN"),
    form("NG_VEHICLE_REGISTRATION"),
    form("NL_BSN"),
    form("PH_MOBILE_NUMBER"),
    form("PH_PASSPORT"),
    form("PH_TIN"),
    form("PH_UMID"),
    form("PL_PESEL"),
    form("PT_NIF"),
    form("SE_ORGANISATIONSNUMMER"),
    form("SE_PERSONNUMMER"),
    form("SG_NRIC_FIN"),
    form("SG_UEN"),
    form("TH_TNIN"),
    form("TR_LICENSE_PLATE"),
    form("TR_NATIONAL_ID"),
    form("TR_PHONE_NUMBER"),
    form("UK_DRIVING_LICENCE"),
    form("UK_NHS"),
    form("UK_NINO"),
    form("UK_PASSPORT"),
    form("UK_POSTCODE"),
    form("UK_VEHICLE_REGISTRATION"),
    form("US_BANK_NUMBER"),
    form("US_CLAIM_NUMBER"),
    form("US_DRIVER_LICENSE"),
    form("US_HEALTH_INSURANCE_MEMBER_ID"),
    form("US_MBI"),
    form("US_NPI"),
    form("US_PRESCRIPTION_NUMBER"),
    form("US_PRIOR_AUTHORIZATION_NUMBER"),
    form("US_PROVIDER_TAX_ID"),
    form("US_REFERRAL_NUMBER"),
    form("UUID"),
    form("ZA_COMPANY_REGISTRATION"),
    form("ZA_DRIVER_LICENSE"),
    form("ZA_ID_NUMBER"),
    form("ZA_INCOME_TAX_NUMBER"),
    form("ZA_LICENSE_PLATE"),
    form("ZA_MOBILE_NUMBER"),
    form("ZA_PASSPORT"),
    form("ZA_TELEPHONE_NUMBER"),
    form("ZA_TRAFFIC_REGISTER_NUMBER"),
    form("ZA_VAT_NUMBER"),
];

/// All that are known.
pub(crate) fn all() -> impl Iterator<Item = &'static Entity> {
    ENTITIES.iter()
}

/// An entity of one's own, for as long as the guardrail is there: a component is configured once.
pub(crate) fn own(name: &str) -> &'static Entity {
    Box::leak(Box::new(form(name.to_owned().leak())))
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
