//! Whether a reviewer had a hand in the change. Commits say who made them, and nobody can be held to more than that;
//! a reviewer of whom no mail address is known cannot be told from an author, and so does not count.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use wayproof_receipt::{PublicKey, Reviewer};
use wayproof_repo::Makers;

/// Why somebody may not review what was made; nothing if they may.
pub(crate) fn objection(
    makers: &Makers,
    (name, key): (&str, &PublicKey),
    reviewer: &Reviewer,
) -> Option<String> {
    if reviewer.mails.is_empty() {
        return Some(format!(
            "the trust file names no mail address of {name}, so nobody can tell whether they made the change"
        ));
    }
    let made = makers.people.iter().find(|person| {
        let mail = person.mail.to_lowercase();
        reviewer.mails.contains(&mail)
            || person.name.eq_ignore_ascii_case(name)
            || forge_handle(&mail).is_some_and(|handle| is_called(name, reviewer, handle))
    });
    if let Some(person) = made {
        return Some(format!(
            "{name} made the change, as {} <{}>",
            person.name, person.mail
        ));
    }
    let blob = ssh_blob(key);
    let has_signed = makers
        .signatures
        .iter()
        .any(|armour| blob.is_some() && signing_key(armour) == blob);
    has_signed.then(|| format!("{name} signed a commit of the change with the same key"))
}

/// The handle in `12345+name@users.noreply.github.com` and its like.
fn forge_handle(mail: &str) -> Option<&str> {
    let (local, host) = mail.split_once('@')?;
    let is_forge = host.starts_with("users.noreply.");
    is_forge.then(|| local.split_once('+').map_or(local, |(_, handle)| handle))
}

fn is_called(name: &str, reviewer: &Reviewer, handle: &str) -> bool {
    let handles = reviewer.handles.iter();
    let mut called = handles
        .filter_map(|own| own.strip_prefix('@'))
        .chain([name]);
    called.any(|own| own.eq_ignore_ascii_case(handle))
}

fn ssh_blob(key: &PublicKey) -> Option<Vec<u8>> {
    let line = key.to_openssh();
    let (_, encoded) = line.split_once(' ')?;
    STANDARD.decode(encoded).ok()
}

/// The public key inside an armoured SSH signature: `SSHSIG`, a version, then the key as a string.
fn signing_key(armour: &str) -> Option<Vec<u8>> {
    let body: String = armour
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let bytes = STANDARD.decode(body.trim()).ok()?;
    let rest = bytes.strip_prefix(b"SSHSIG")?.get(4..)?;
    let (length, rest) = rest.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    rest.get(..usize::try_from(length).ok()?)
        .map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use wayproof_receipt::SigningKey;
    use wayproof_repo::Person;

    use super::*;

    fn made_by(name: &str, mail: &str) -> Makers {
        Makers {
            people: vec![Person {
                name: name.into(),
                mail: mail.into(),
            }],
            signatures: Vec::new(),
        }
    }

    #[test]
    fn whoever_made_it_does_not_review_it() {
        let key = SigningKey::from_seed(&[7; 32]).public();
        let alice = Reviewer {
            mails: vec!["alice@example.org".into()],
            handles: vec!["@al".into()],
        };
        let says = |makers: &Makers| objection(makers, ("alice", &key), &alice);
        assert_eq!(says(&made_by("Bob", "bob@example.org")), None);
        for makers in [
            made_by("A. L.", "Alice@Example.org"),
            made_by("Alice", "other@example.org"),
            made_by("x", "77+AL@users.noreply.github.com"),
        ] {
            assert!(says(&makers).is_some(), "{makers:?}");
        }
        let unknown = objection(&Makers::default(), ("alice", &key), &Reviewer::default());
        assert!(unknown.unwrap().contains("no mail address"));
    }

    #[test]
    fn a_commit_signed_with_the_reviewers_key_is_theirs() {
        let key = SigningKey::from_seed(&[7; 32]).public();
        let blob = ssh_blob(&key).unwrap();
        let mut bytes = b"SSHSIG\0\0\0\x01".to_vec();
        bytes.extend(u32::try_from(blob.len()).unwrap().to_be_bytes());
        bytes.extend(&blob);
        bytes.extend(b"rest");
        let armour = format!(
            "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----",
            STANDARD.encode(bytes)
        );
        let makers = Makers {
            people: Vec::new(),
            signatures: vec![armour],
        };
        let alice = Reviewer {
            mails: vec!["alice@example.org".into()],
            handles: Vec::new(),
        };
        assert!(objection(&makers, ("alice", &key), &alice).is_some());
        let other = SigningKey::from_seed(&[8; 32]).public();
        assert_eq!(objection(&makers, ("alice", &other), &alice), None);
    }
}
