//! The secrets that are looked for, as data.
//!
//! To add one: name it, say who documents its format, find an anchor that is rare in ordinary text, and describe what
//! stands around it. Samples and near misses are given in pieces, so that no scanner mistakes this file for a leak.

use crate::class::Class;
use crate::shape::Part::{All, Maybe, Run, Text, Trimmed};
use crate::shape::{ANY, Case, Part, Shape};

/// A kind of secret.
#[derive(Debug)]
pub(crate) struct Secret {
    /// The rule's identifier.
    pub(crate) id: &'static str,
    /// What the secret is, and who documents its format.
    #[cfg_attr(not(test), expect(dead_code, reason = "for people; a test sees to it"))]
    pub(crate) origin: &'static str,
    /// What it looks like; the first is the common form.
    pub(crate) shapes: &'static [Shape],
    /// What stands in its place.
    pub(crate) replacement: &'static str,
    /// Texts that are nothing but such a secret, in pieces.
    pub(crate) samples: &'static [&'static [&'static str]],
    /// Texts that hold no secret, but nearly, in pieces.
    pub(crate) near_misses: &'static [&'static [&'static str]],
}

const ALNUM: Class = Class::ranges("AZaz09");
const WORD: Class = Class::ranges("AZaz09__");
const WORD_OR_DASH: Class = Class::ranges("AZaz09__--");
const UPPER_OR_DIGIT: Class = Class::ranges("AZ09");
const DIGIT: Class = Class::ranges("09");
const PADDING: Class = Class::ranges("==");
const HOST: Class = Class::ranges("AZaz09--");
const AZURE: Class = Class::ranges("AZaz09__~~..--");
const AZURE_START: Class = Class::ranges("AZaz09__~~..");
const AZURE_EDGE: Class = Class::ranges("AZaz09__~~--");

/// Tokens that may be longer than they are today, as the provider warns, are taken to this length.
const GROWN: usize = 255;

/// A shape without anything around it to mind.
const PLAIN: Shape = Shape {
    anchors: &[],
    case: Case::Exact,
    head: &[],
    tail: &[],
    not_before: Class::NONE,
    not_after: Class::NONE,
};

/// A GUID. Letters beyond `f` are accepted, as Teams does not promise that they are hexadecimal.
const GUID: Part = All(&[
    Run(ALNUM, 8, 8),
    Text("-"),
    Run(ALNUM, 4, 4),
    Text("-"),
    Run(ALNUM, 4, 4),
    Text("-"),
    Run(ALNUM, 4, 4),
    Text("-"),
    Run(ALNUM, 12, 12),
]);

const TEAMS: &[Part] = &[
    GUID,
    Text("@"),
    GUID,
    Text("/IncomingWebhook/"),
    Run(ALNUM, 32, 32),
    Text("/"),
    GUID,
    Maybe(&[Text("/V"), Run(WORD_OR_DASH, 1, GROWN)]),
];

/// The header's first letters are the anchor: base64 of `{"` or `{ `. Header and payload are JSON objects.
const JWT: &[Part] = &[
    Run(ALNUM, 16, ANY),
    Text(".ey"),
    Run(WORD_OR_DASH, 17, ANY),
    Maybe(&[Text("."), Run(WORD_OR_DASH, 0, ANY), Run(PADDING, 0, 2)]),
];

const SLACK_APP: &[Part] = &[
    Run(DIGIT, 1, 1),
    Text("-"),
    Run(ALNUM, 1, ANY),
    Text("-"),
    Run(DIGIT, 1, ANY),
    Text("-"),
    Run(ALNUM, 1, ANY),
];

/// All kinds of secrets, by identifier.
pub(crate) const SECRETS: &[Secret] = &[
    Secret {
        id: "aws-access-key",
        origin: "AWS access key id; IAM User Guide, IAM identifiers, unique ID prefixes",
        shapes: &[
            Shape {
                anchors: &["AKIA", "ASIA", "ABIA", "ACCA"],
                tail: &[Run(UPPER_OR_DIGIT, 16, 16)],
                not_before: ALNUM,
                not_after: ALNUM,
                ..PLAIN
            },
            Shape {
                anchors: &["A3T"],
                tail: &[Run(UPPER_OR_DIGIT, 17, 17)],
                not_before: ALNUM,
                not_after: ALNUM,
                ..PLAIN
            },
        ],
        replacement: "<AWS_ACCESS_KEY>",
        samples: &[
            &["AKIA", "UJZDEGXDNCF32EPF"],
            &["ASIA", "3DHODZDOCIS2JHTL"],
            &["A3T", "XGMXGEDN73U55XTPL"],
        ],
        near_misses: &[
            &["AKIA", "PFT7V4SEH2KVJ72"],
            &["akia", "ce9uvw53efr4edt2"],
            &["AKIA", "SYWB5WKH7DNSIPZZ7"],
        ],
    },
    Secret {
        id: "azure-ad-client-secret",
        origin: "Microsoft Entra application client secret; Microsoft Purview, sensitive information type Azure AD client secret",
        shapes: &[Shape {
            anchors: &[
                "0Q~", "1Q~", "2Q~", "3Q~", "4Q~", "5Q~", "6Q~", "7Q~", "8Q~", "9Q~",
            ],
            head: &[Run(AZURE_START, 3, 3)],
            tail: &[Trimmed(AZURE, AZURE_EDGE, 31, 34)],
            not_before: AZURE_EDGE,
            not_after: AZURE_EDGE,
            ..PLAIN
        }],
        replacement: "<AZURE_KEY>",
        samples: &[
            &["x.7", "8Q~", "fkCzJr4i0B3JrTAwR4y9ojfljoQoaF1Llq"],
            &["_aB", "3Q~", "sajAIxNKu8iS2G8-.~", "NPRVdD53X83RZJ"],
        ],
        near_misses: &[
            &["abc", "8Q~", "zzzzgEOzdmenCkhvMdgaKjIg8xNbe3"],
            &["abc", "8Q-", "nNyjOq9wMxEhh2FDEEtfjgVvVqE1SkHbn8"],
        ],
    },
    Secret {
        id: "gcp-api-key",
        origin: "Google API key; Google Cloud, Manage API keys",
        shapes: &[Shape {
            anchors: &["AIza"],
            tail: &[Run(WORD_OR_DASH, 35, 35)],
            not_before: ALNUM,
            not_after: WORD_OR_DASH,
            ..PLAIN
        }],
        replacement: "<GCP_API_KEY>",
        samples: &[&["AI", "za", "8HxjSI6bWHtP3fS2qHx6kwXoIIXGvOoNZ-_"]],
        near_misses: &[
            &["AI", "za", "YW2mZp0zVZomHFwUbbYrEqmSM9wCZ7Uw9x"],
            &["AI", "za", "fogoEmvnEN5N1aE6PwZPf1Qh6yYTWmE4lBYO"],
        ],
    },
    Secret {
        id: "github-app-token",
        origin: "GitHub App user, installation and refresh tokens; GitHub Docs, About authentication, token formats",
        shapes: &[Shape {
            anchors: &["ghu_", "ghs_", "ghr_"],
            tail: &[Run(ALNUM, 36, GROWN)],
            ..PLAIN
        }],
        replacement: "<GITHUB_APP_TOKEN>",
        samples: &[
            &["gh", "u_", "vfZ8UzDzV8fUkkibjL5DZPjN0MEQ7wjJJiba"],
            &["gh", "s_", "ZUPgHV7iB3m03nbqnsGpWLuqIA1id6Vw5DQL"],
            &[
                "gh",
                "r_",
                "05HA064GiIjHGb3CXlMaXZjljENUhJduRHHJEYXg4JdpmrcXgGCJbW56eCuNGMGmSrCGIZEG8pSH",
            ],
        ],
        near_misses: &[&["gh", "u_", "4487q7J58m1CiAhzCueQpBenQtYh5Xj8TPQ"]],
    },
    Secret {
        id: "github-fine-grained-pat",
        origin: "GitHub fine-grained personal access token; GitHub Docs, About authentication, token formats",
        shapes: &[Shape {
            anchors: &["github_pat_"],
            tail: &[Run(WORD, 82, GROWN)],
            ..PLAIN
        }],
        replacement: "<GITHUB_FINE_GRAINED_TOKEN>",
        samples: &[&[
            "github",
            "_pat_",
            "xjq4i9DoV8gz4FkQ1okTBG",
            "_",
            "zvAmwufUxbvJDCTbyvHNsG9eh6Yo4gfqrc5XlrWi0B26R08qzjI6GKFSufr",
        ]],
        near_misses: &[&[
            "github",
            "_pat_",
            "dZSlB5er8bOfZqfM2oeq3h",
            "_",
            "DavJA76rNicHTp8hkqdlm7tOtHWnsCGRlrwZbqcabUGJmGEp7CgQ0PBQFI",
        ]],
    },
    Secret {
        id: "github-oauth-token",
        origin: "GitHub OAuth access token; GitHub Docs, About authentication, token formats",
        shapes: &[Shape {
            anchors: &["gho_"],
            tail: &[Run(ALNUM, 36, GROWN)],
            ..PLAIN
        }],
        replacement: "<GITHUB_OAUTH_TOKEN>",
        samples: &[&["gh", "o_", "14zGtSnovm14TUOizwd1iaeOV4qBkdfQ1y3G"]],
        near_misses: &[&["gh", "o_", "QsMpSscDlkrCaqx9vJupc94tnwlavyfErGP"]],
    },
    Secret {
        id: "github-pat",
        origin: "GitHub classic personal access token; GitHub Docs, About authentication, token formats",
        shapes: &[Shape {
            anchors: &["ghp_"],
            tail: &[Run(ALNUM, 36, GROWN)],
            ..PLAIN
        }],
        replacement: "<GITHUB_PERSONAL_ACCESS_TOKEN>",
        samples: &[&["gh", "p_", "mpGXafq0fjzLczbttOofL9H2WjQ5TY4MyWuU"]],
        near_misses: &[
            &["gh", "p_", "FjsUNPjc01T5GOBUSZGi6HWGK10Zb0RLZ5T"],
            &["gh", "p_", "R9SPofbciOx9gy1CJdOb", "-", "OIRpFqaDZeV7G5If"],
        ],
    },
    Secret {
        id: "gitlab-session-cookie",
        origin: "GitLab session cookie, name and value; GitLab Docs, Cookies used by GitLab",
        shapes: &[Shape {
            anchors: &["_gitlab_session="],
            tail: &[Run(ALNUM, 32, GROWN)],
            ..PLAIN
        }],
        replacement: "<GITLAB_SESSION_TOKEN>",
        samples: &[&["_gitlab", "_session=", "c92c2101896c93b0ce423ea9b92d0933"]],
        near_misses: &[&["_gitlab", "_session=", "888d03c9a38c82600cce25e2d51996a"]],
    },
    Secret {
        id: "huggingface-access-token",
        origin: "Hugging Face user access token; Hugging Face Hub documentation, User access tokens",
        shapes: &[Shape {
            anchors: &["hf_"],
            tail: &[Run(ALNUM, 34, GROWN)],
            not_before: ALNUM,
            ..PLAIN
        }],
        replacement: "<HUGGINGFACE_TOKEN>",
        samples: &[
            &["h", "f_", "kaFRCztUjAwyuhvauWvzhmTaVsqxezyLex"],
            &["h", "f_", "7BWr2drgd1QsO7jprBGumXxY9B4bZWOz648JJ"],
        ],
        near_misses: &[
            &["h", "f_", "nUfdUACNWiPsFdJikEAvstqVVPqzPptEJ"],
            &["half_", "hf_", "load"],
        ],
    },
    Secret {
        id: "jwt",
        origin: "JSON Web Token, signed or not; RFC 7519",
        shapes: &[Shape {
            anchors: &["eyJ", "eyI", "eyA", "eyB"],
            tail: JWT,
            not_before: ALNUM,
            ..PLAIN
        }],
        replacement: "<JWT_TOKEN>",
        samples: &[
            &[
                "eyJQzhkPkenG5ZFJoC6v",
                ".",
                "ey",
                "WCBiJmpflvJfupxqZKm4bV3AyAVHny-_",
                "rvWdFrK9xi",
                ".",
                "RGHOY32nfr5pyzPCB9t2039bicBTW5ZE9LFaez777-_",
            ],
            &[
                "eyA0H2DCpYgojjHRg80U",
                ".",
                "ey",
                "SP2W5DfJXcaYioK6cPTt",
                ".",
            ],
            &[
                "eyJQzhkPkenG5ZFJoC6v",
                ".",
                "ey",
                "ItDr9uP14pEHpJpb9ATPtdbm",
                ".",
                "F4RPAfqoQB7xoFcSvTAxRzmaZsV2GenFmtX0moDoqW4",
                "=",
            ],
        ],
        near_misses: &[
            &[
                "eyJQzhkPkenG5ZFJoC6v",
                ".",
                "ex",
                "sg8NFNl5oFA6Qd8Mj7zdnbMj",
            ],
            &["eyJAdTdlzC5T4uUhf7", ".", "ey", "kvmlP7HVDctQUy1xvCkgafrf"],
        ],
    },
    Secret {
        id: "microsoft-teams-webhook",
        origin: "Microsoft Teams incoming webhook; Microsoft Learn, Create incoming webhooks",
        shapes: &[Shape {
            anchors: &[".webhook.office.com/webhookb2/"],
            case: Case::Any,
            head: &[Text("https://"), Run(HOST, 1, 63)],
            tail: TEAMS,
            ..PLAIN
        }],
        replacement: "<MICROSOFT_TEAMS_WEBHOOK>",
        samples: &[
            &[
                "https://contoso",
                ".webhook.office.com",
                "/webhookb2/",
                "57d06537-cb90-5804-59a7-16b6b8cb20c4",
                "@",
                "524b2423-aca1-d986-279e-9fa3e14485c0",
                "/IncomingWebhook/",
                "6f17cb94f7dc2c0d798f1e781d332252",
                "/",
                "2081f11e-304c-6211-d8bd-a9185b31db00",
            ],
            &[
                "https://contoso",
                ".webhook.office.com",
                "/webhookb2/",
                "57d06537-cb90-5804-59a7-16b6b8cb20c4",
                "@",
                "524b2423-aca1-d986-279e-9fa3e14485c0",
                "/IncomingWebhook/",
                "6f17cb94f7dc2c0d798f1e781d332252",
                "/",
                "2081f11e-304c-6211-d8bd-a9185b31db00",
                "/V2",
                "7exG3lCMqXXQ8agOMTNwncxvjcnqcMUP6n0a0uAR-1",
            ],
        ],
        near_misses: &[&[
            "https://contoso",
            ".webhook.office.com",
            "/webhookb2/",
            "57d06537-cb90-5804-59a7-16b6b8cb20c4",
            "@",
            "524b2423-aca1-d986-279e-9fa3e14485c0",
            "/IncomingWebhook/",
            "6f17cb94f7dc2c0d798f1e781d332252",
            "/",
            "1234",
        ]],
    },
    Secret {
        id: "slack-app-token",
        origin: "Slack app-level token; Slack API documentation, Token types",
        shapes: &[Shape {
            anchors: &["xapp-"],
            case: Case::Any,
            tail: SLACK_APP,
            ..PLAIN
        }],
        replacement: "<SLACK_APP_TOKEN>",
        samples: &[
            &[
                "xa",
                "pp-1-",
                "AXLTENC76E2",
                "-",
                "1682812646446",
                "-",
                "b3577a50660a7f7dc658feabe6c5fe53ffcd6903eb94b6cf1609f0b6f65de10b",
            ],
            &[
                "XA",
                "PP-2-",
                "ACUHY5T2TP3",
                "-",
                "6578720097737",
                "-",
                "8f96dce575c8bbec4cb6eacd0e93f1c52f428e2902145b0f6f246f2db58d2652",
            ],
        ],
        near_misses: &[&["xa", "pp-1-", "AYXJXVF4OLD", "-", "4844950032496"]],
    },
];
