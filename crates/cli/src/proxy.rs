//! Which proxy to use: the one that a flag names, or the one of the usual variables.

use supermega::transport::Proxy;

/// The proxy of `--proxy`, where `direct` means none, or that of the environment, which this machine itself is
/// reached without.
pub fn of(flag: Option<&str>) -> Option<Proxy> {
    match flag {
        Some("direct" | "") => None,
        Some(address) => Some(Proxy::all(address)),
        None => of_environment(|name| std::env::var(name).ok()),
    }
}

/// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, small letters first.
fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Proxy> {
    let either = |small: &str| {
        let value = variable(small).or_else(|| variable(&small.to_uppercase()));
        value.filter(|value| !value.is_empty())
    };
    // Whoever runs us as a CGI program can be sent a header that becomes `HTTP_PROXY`.
    let http = either("http_proxy").filter(|_| variable("REQUEST_METHOD").is_none());
    let (https, all) = (either("https_proxy"), either("all_proxy"));
    if http.is_none() && https.is_none() && all.is_none() {
        return None;
    }
    let mut proxy = all.map_or_else(Proxy::default, Proxy::all).spare_loopback();
    if let Some(http) = http {
        proxy = proxy.http(http);
    }
    if let Some(https) = https {
        proxy = proxy.https(https);
    }
    Some(proxy.except(either("no_proxy").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_makes_a_proxy() {
        let with = |pairs: &'static [(&str, &str)]| {
            of_environment(|name| {
                pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(with(&[]).is_none());
        assert!(with(&[("NO_PROXY", "*"), ("https_proxy", "")]).is_none());
        assert!(with(&[("HTTPS_PROXY", "http://127.0.0.1:1")]).is_some());
        assert!(with(&[("all_proxy", "socks5://127.0.0.1:1")]).is_some());
        assert!(with(&[("HTTP_PROXY", "http://127.0.0.1:1"), ("REQUEST_METHOD", "GET")]).is_none());
        assert!(of(Some("direct")).is_none());
    }
}
