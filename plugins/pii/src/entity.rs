//! The kinds of personal data, by the names that Presidio gave them.

use crate::detect::Profile;

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
    default: Default,
}

/// Whose defaults an entity is among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Default {
    /// Presidio's, for English, and ours.
    Both,
    /// Only ours: by its form it is not taken for anything else, or it needs a word that
    /// speaks of it.
    Ours,
    /// Neither: it is not about a person, or too much is of its form.
    Neither,
}

impl Entity {
    /// Whether it is looked for by a profile unless the configuration says otherwise.
    pub(crate) fn is_default(&self, profile: Profile) -> bool {
        match self.default {
            Default::Both => true,
            Default::Ours => profile == Profile::Gateway,
            Default::Neither => false,
        }
    }
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
    /// The name of a value alone.
    Field,
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
    default: Default,
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
    entity(name, name, &[], Kind::Form, Default::Neither)
}

/// A number that a person has.
const fn personal(name: &'static str) -> Entity {
    entity(name, name, &[], Kind::Form, Default::Ours)
}

/// What a list of one's own holds, if it says nothing else.
static OTHER: Entity = form("CUSTOM");

static ENTITIES: &[Entity] = &[
    entity(
        "EMAIL_ADDRESS",
        "EMAIL",
        &["EMAIL", "MAIL"],
        Kind::Email,
        Default::Both,
    ),
    entity(
        "PHONE_NUMBER",
        "PHONE",
        &["PHONE"],
        Kind::Phone,
        Default::Both,
    ),
    entity(
        "CREDIT_CARD",
        "CREDIT_CARD",
        &["CARD"],
        Kind::Card,
        Default::Both,
    ),
    entity("IBAN_CODE", "IBAN", &["IBAN"], Kind::Iban, Default::Both),
    entity(
        "CRYPTO",
        "CRYPTO",
        &["BITCOIN", "BTC"],
        Kind::Crypto,
        Default::Both,
    ),
    entity("IP_ADDRESS", "IP", &["IP"], Kind::Ip, Default::Both),
    entity(
        "PERSON",
        "PERSON",
        &["NAME", "PERSON_NAME"],
        Kind::Person,
        Default::Both,
    ),
    entity("US_SSN", "US_SSN", &["SSN"], Kind::Form, Default::Both),
    entity("US_ITIN", "US_ITIN", &["ITIN"], Kind::Form, Default::Both),
    entity(
        "US_PASSPORT",
        "US_PASSPORT",
        &["PASSPORT"],
        Kind::Form,
        Default::Both,
    ),
    entity(
        "MEDICAL_LICENSE",
        "MEDICAL_LICENSE",
        &["DEA"],
        Kind::Form,
        Default::Both,
    ),
    entity("MAC_ADDRESS", "MAC", &["MAC"], Kind::Mac, Default::Neither),
    entity(
        "STREET_ADDRESS",
        "ADDRESS",
        &["ADDRESS"],
        Kind::Street,
        Default::Ours,
    ),
    entity(
        "DATE_OF_BIRTH",
        "DATE_OF_BIRTH",
        &["DOB", "BIRTHDAY"],
        Kind::Form,
        Default::Ours,
    ),
    entity(
        "NATIONAL_ID",
        "NATIONAL_ID",
        &["ID_NUMBER"],
        Kind::Field,
        Default::Ours,
    ),
    entity(
        "LOCATION",
        "LOCATION",
        &["GPE", "PLACE"],
        Kind::Location,
        Default::Neither,
    ),
    entity(
        "NRP",
        "NRP",
        &["NATIONALITY"],
        Kind::People,
        Default::Neither,
    ),
    entity(
        "ORGANIZATION",
        "ORGANIZATION",
        &["ORG"],
        Kind::Organization,
        Default::Neither,
    ),
    entity("URL", "URL", &["LINK"], Kind::Url, Default::Neither),
    personal("VIN"),
    form("ABA_ROUTING_NUMBER"),
    form("AU_ABN"),
    form("AU_ACN"),
    personal("AU_MEDICARE"),
    personal("AU_TFN"),
    form("AGE"),
    form("BR_CNPJ"),
    personal("BR_CPF"),
    form("CA_POSTAL_CODE"),
    personal("CA_SIN"),
    personal("CN_MOBILE"),
    personal("CN_RESIDENT_ID"),
    form("DATE_TIME"),
    form("DE_BSNR"),
    personal("DE_FUEHRERSCHEIN"),
    form("DE_HANDELSREGISTER"),
    personal("DE_HEALTH_INSURANCE"),
    personal("DE_ID_CARD"),
    form("DE_KFZ"),
    form("DE_LANR"),
    personal("DE_PASSPORT"),
    form("DE_PLZ"),
    personal("DE_SOCIAL_SECURITY"),
    personal("DE_TAX_ID"),
    personal("DE_TAX_NUMBER"),
    form("DE_VAT_ID"),
    form("ES_CIF"),
    personal("ES_NIE"),
    personal("ES_NIF"),
    personal("ES_PASSPORT"),
    personal("FI_PERSONAL_IDENTITY_CODE"),
    personal("FR_NIR"),
    personal("IN_AADHAAR"),
    form("IN_GSTIN"),
    personal("IN_PAN"),
    personal("IN_PASSPORT"),
    form("IN_VEHICLE_REGISTRATION"),
    personal("IN_UPI"),
    personal("IN_VOTER"),
    personal("IT_DRIVER_LICENSE"),
    personal("IT_FISCAL_CODE"),
    personal("IT_IDENTITY_CARD"),
    personal("IT_PASSPORT"),
    form("IT_VAT_CODE"),
    form("KR_BRN"),
    personal("KR_DRIVER_LICENSE"),
    personal("KR_FRN"),
    personal("KR_PASSPORT"),
    personal("KR_RRN"),
    personal("MEDICAL_RECORD_NUMBER"),
    personal("NG_NIN"),
    form("NG_VEHICLE_REGISTRATION"),
    personal("NL_BSN"),
    form("PH_MOBILE_NUMBER"),
    personal("PASSPORT_NUMBER"),
    personal("PH_PASSPORT"),
    personal("PH_TIN"),
    personal("PH_UMID"),
    personal("PL_PESEL"),
    personal("PT_NIF"),
    form("SE_ORGANISATIONSNUMMER"),
    personal("SE_PERSONNUMMER"),
    personal("SG_NRIC_FIN"),
    form("SG_UEN"),
    personal("TH_TNIN"),
    form("TR_LICENSE_PLATE"),
    personal("TR_NATIONAL_ID"),
    form("TR_PHONE_NUMBER"),
    personal("UK_DRIVING_LICENCE"),
    personal("UK_NHS"),
    personal("UK_NINO"),
    personal("UK_PASSPORT"),
    form("UK_POSTCODE"),
    form("UK_VEHICLE_REGISTRATION"),
    personal("US_BANK_NUMBER"),
    personal("US_CLAIM_NUMBER"),
    personal("US_DRIVER_LICENSE"),
    personal("US_HEALTH_INSURANCE_MEMBER_ID"),
    personal("US_MBI"),
    personal("US_NPI"),
    personal("US_PRESCRIPTION_NUMBER"),
    personal("US_PRIOR_AUTHORIZATION_NUMBER"),
    form("US_PROVIDER_TAX_ID"),
    personal("US_REFERRAL_NUMBER"),
    form("UUID"),
    form("ZA_COMPANY_REGISTRATION"),
    personal("ZA_DRIVER_LICENSE"),
    personal("ZA_ID_NUMBER"),
    personal("ZA_INCOME_TAX_NUMBER"),
    form("ZA_LICENSE_PLATE"),
    form("ZA_MOBILE_NUMBER"),
    personal("ZA_PASSPORT"),
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
