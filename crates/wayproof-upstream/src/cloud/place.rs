//! Which cloud an address belongs to, and in which of its regions it is.

use http::Uri;

/// A cloud that is asked in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// Amazon Bedrock's runtime.
    Bedrock {
        /// The region that signatures are made for.
        region: String,
    },
    /// Google's Vertex; the provider's address names project and location.
    Vertex,
}

impl Cloud {
    /// The cloud at an address, if it is one's own door of it.
    pub fn at(base: &Uri) -> Option<Self> {
        let host = base.host()?.to_ascii_lowercase();
        let labels: Vec<&str> = host.split('.').collect();
        let in_amazon = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
        if in_amazon {
            // A private door has names of its own before these.
            let names = ["bedrock-runtime", "bedrock-runtime-fips"];
            let at = labels.iter().position(|label| names.contains(label))?;
            let region = labels.get(at + 1)?;
            return Some(Self::Bedrock {
                region: (*region).to_owned(),
            });
        }
        let name = host.strip_suffix("aiplatform.googleapis.com");
        let is_vertex = name.is_some_and(|name| name.is_empty() || name.ends_with('-'));
        let is_multi = host.starts_with("aiplatform.") && host.ends_with(".rep.googleapis.com");
        (is_vertex || is_multi).then_some(Self::Vertex)
    }

    /// Bedrock's address in a region.
    pub fn bedrock_address(region: &str) -> String {
        let end = if region.starts_with("cn-") { ".cn" } else { "" };
        format!("https://bedrock-runtime.{region}.amazonaws.com{end}")
    }

    /// Vertex's address of a project at a location.
    pub fn vertex_address(project: &str, location: &str) -> String {
        let host = match location {
            "global" => "aiplatform.googleapis.com".to_owned(),
            "us" | "eu" => format!("aiplatform.{location}.rep.googleapis.com"),
            _ => format!("{location}-aiplatform.googleapis.com"),
        };
        format!("https://{host}/v1/projects/{project}/locations/{location}")
    }
}

/// A model's name as one segment of a path: a name with slashes, such as that of an inference profile, is one, too.
///
/// There is none for what a server would take for another path.
pub(super) fn segment(name: &str) -> Option<String> {
    if matches!(name, "" | "." | "..") {
        return None;
    }
    let escaped = name.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    Some(escaped.collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Cloud, segment};

    #[rstest]
    #[case(
        "https://bedrock-runtime.eu-central-1.amazonaws.com",
        Some("eu-central-1")
    )]
    #[case(
        "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
        Some("us-gov-west-1")
    )]
    #[case(
        "https://bedrock-runtime.cn-north-1.amazonaws.com.cn",
        Some("cn-north-1")
    )]
    #[case(
        "https://vpce-0a-1.bedrock-runtime.us-east-1.vpce.amazonaws.com",
        Some("us-east-1")
    )]
    #[case("https://bedrock.us-east-1.amazonaws.com", None)]
    #[case("https://bedrock-runtime.us-east-1.amazonaws.com.example", None)]
    #[case("https://bedrock-runtime.example", None)]
    fn a_door_of_bedrock_names_its_region(#[case] address: &str, #[case] region: Option<&str>) {
        let expected = region.map(|region| Cloud::Bedrock {
            region: region.to_owned(),
        });
        assert_eq!(Cloud::at(&address.parse().unwrap()), expected);
    }

    #[rstest]
    #[case(
        "global",
        "https://aiplatform.googleapis.com/v1/projects/p/locations/global"
    )]
    #[case(
        "eu",
        "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu"
    )]
    #[case(
        "us-east5",
        "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5"
    )]
    fn a_location_of_vertex_has_its_address(#[case] location: &str, #[case] address: &str) {
        assert_eq!(Cloud::vertex_address("p", location), address);
        assert_eq!(Cloud::at(&address.parse().unwrap()), Some(Cloud::Vertex));
    }

    #[test]
    fn other_addresses_of_google_are_no_vertex() {
        for address in [
            "https://generativelanguage.googleapis.com",
            "https://notaiplatform.googleapis.com",
            "https://aiplatform.rep.googleapis.com.example",
        ] {
            assert_eq!(Cloud::at(&address.parse().unwrap()), None, "{address}");
        }
    }

    #[rstest]
    #[case("claude-opus-4-5@20251101", Some("claude-opus-4-5@20251101"))]
    #[case("us.anthropic.claude-v1:0", Some("us.anthropic.claude-v1%3A0"))]
    #[case(
        "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x",
        Some("arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fx")
    )]
    #[case("../../admin?x=1#y", Some("..%2F..%2Fadmin%3Fx%3D1%23y"))]
    #[case("..", None)]
    #[case("", None)]
    fn a_model_is_one_segment(#[case] name: &str, #[case] expected: Option<&str>) {
        assert_eq!(segment(name).as_deref(), expected);
    }
}
