//! Vectors that others have published.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use wayproof_receipt::{
    SigningKey,
    log::{Frontier, Note, NoteKey, Tile, empty_root, entries_path, leaf_hash, partial_tiles},
    pae,
};

/// The DSSE 1.0 protocol text, section "Test Vectors".
#[test]
fn dsse_pae() {
    let encoded = pae("http://example.com/HelloWorld", b"hello world");
    assert_eq!(
        encoded,
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
}

/// RFC 8032, section 7.1, tests 1 and 2.
#[test]
fn ed25519() {
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let key = SigningKey::from_seed(&hex(seed).try_into().unwrap());
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(key.public().as_bytes().as_slice(), hex(public));
    let signature = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    assert_eq!(key.sign(b"").as_slice(), hex(signature));
    assert!(key.public().verifies(b"", &key.sign(b"")));
}

/// The note that golang.org/x/mod/sumdb/note documents and tests with.
#[test]
fn signed_note() {
    let seed = STANDARD
        .decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
        .unwrap();
    let key = SigningKey::from_seed(seed[1..].try_into().unwrap());
    let known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let verifier: NoteKey = known.parse().unwrap();
    assert_eq!(
        verifier,
        NoteKey::new("PeterNeumann", key.public()).unwrap()
    );
    assert_eq!(verifier.to_string(), known);
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let note = Note::sign(text, "PeterNeumann", &key).unwrap();
    let expected = format!(
        "{text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    );
    assert_eq!(note.to_string(), expected);
    // A second, unknown signer changes nothing.
    let enoch = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";
    let both = Note::parse(&format!("{expected}{enoch}")).unwrap();
    assert_eq!(
        both.verify(std::slice::from_ref(&verifier)).unwrap(),
        [&verifier]
    );
    let enoch: NoteKey = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
        .parse()
        .unwrap();
    assert_eq!(both.verify(&[verifier, enoch]).unwrap().len(), 2);
}

/// The roots that the Certificate Transparency reference implementation tests with.
#[test]
fn merkle_roots() {
    let leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::new();
    for (leaf, root) in leaves.iter().zip(roots) {
        frontier.append(leaf_hash(&hex(leaf)));
        assert_eq!(frontier.root().to_hex(), root);
    }
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(empty_root().to_hex(), empty);
}

/// The examples of the C2SP tlog-tiles text.
#[test]
fn tile_paths() {
    let tile = Tile {
        level: 2,
        index: 1_234_067,
        width: 256,
    };
    assert_eq!(tile.path(), "tile/2/x001/x234/067");
    assert_eq!(entries_path(273, 112), "tile/entries/273.p/112");
    let paths: Vec<_> = partial_tiles(70_000).iter().map(Tile::path).collect();
    assert_eq!(
        paths,
        ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    );
    let paths: Vec<_> = partial_tiles(256).iter().map(Tile::path).collect();
    assert_eq!(paths, ["tile/1/000.p/1"]);
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().collect();
    let pairs = digits.chunks(2).map(|pair| pair.iter().collect::<String>());
    pairs
        .map(|pair| u8::from_str_radix(&pair, 16).unwrap())
        .collect()
}
