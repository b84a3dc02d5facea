//! File lists and the secrets of leases.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::PathBuf;

use app::lease::LeaseSecrets;
use app::lease::file_list::{Checkpoint, Error, FileList, ListedFile, Place, checkpoint_key, is_key};
use domain::id::LeaseId;
use domain::table::{FileDigest, PinnedFile};
use uuid::Uuid;

#[test]
fn a_list_is_sorted_by_bytes_and_found_by_exact_keys() {
    let list = FileList::parquet(files(&["a/x", "a-b", "ä", "a.parquet", "B"])).unwrap();
    let keys: Vec<&str> = list.entries().iter().map(|entry| entry.file.path.as_str()).collect();
    assert_eq!(keys, ["B", "a-b", "a.parquet", "a/x", "ä"]);
    for key in keys {
        assert_eq!(list.find(key).unwrap().file.path, key);
    }
    for key in ["", "a", "a/", "a/x/", "A-B", "b", "../a-b", "a/./x"] {
        assert_eq!(list.find(key), None, "{key}");
    }
}

#[test]
fn of_a_delta_log_only_our_own_checkpoint_is_listed() {
    let list = FileList::delta(12, files(&["part-0.parquet", "deletion_vector.bin"]), checkpoint("/data/x")).unwrap();
    let own = list.find("_delta_log/00000000000000000012.checkpoint.parquet").unwrap();
    assert_eq!((own.file.path.clone(), &own.place), (checkpoint_key(12), &Place::Own(PathBuf::from("/data/x"))));
    assert_eq!((own.file.size_bytes, own.file.mtime_ns, own.file.inode), (1, 2, 3));
    for key in
        ["_delta_log/00000000000000000012.json", "_delta_log/_last_checkpoint", "_delta_log", &checkpoint_key(12)]
    {
        assert_eq!(
            FileList::delta(12, files(&["part-0.parquet", key]), checkpoint("/data/x")),
            Err(Error::Log(key.to_owned()))
        );
        assert_eq!(FileList::parquet(files(&[key])), Err(Error::Log(key.to_owned())));
    }
    for path in ["data/x", "/data/../x", ""] {
        assert_eq!(FileList::delta(1, vec![], checkpoint(path)), Err(Error::BadCheckpoint), "{path}");
    }
}

#[test]
fn keys_have_plain_segments() {
    let long = "k".repeat(988);
    for key in ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/./b", "a\0", &long] {
        assert!(!is_key(key), "{key:?}");
        assert_eq!(FileList::parquet(files(&[key])), Err(Error::BadKey(key.to_owned())), "{key:?}");
    }
    for key in ["a", "...", "a..b/.c", "%2e%2e", "a b+ü/\u{1f642}", &long[1..]] {
        assert!(is_key(key), "{key:?}");
    }
    assert_eq!(FileList::parquet(files(&["a", "b", "a"])), Err(Error::Order("a".to_owned())));
}

#[test]
fn a_stored_list_is_read_back() {
    let keys: Vec<String> = (0..5_000).map(|number| format!("day={}/part-{number}.parquet", number % 31)).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for list in [
        FileList::parquet(vec![]).unwrap(),
        FileList::parquet(files(&keys)).unwrap(),
        FileList::delta(u64::MAX, files(&keys), checkpoint("/data/ü/x")).unwrap(),
    ] {
        let stored = list.encode().unwrap();
        assert_eq!(FileList::decode(&stored.digest, &stored.bytes).unwrap(), list);
        assert_eq!(list.encode().unwrap(), stored, "the same list has the same digest");
        assert!(stored.bytes.len() < 100 + list.entries().len() * 30, "{}", stored.bytes.len());
    }
}

#[test]
fn a_stored_list_that_was_touched_is_refused() {
    let stored = FileList::parquet(files(&["a", "b"])).unwrap().encode().unwrap();
    for at in 0..stored.bytes.len() {
        let mut bytes = stored.bytes.clone();
        bytes[at] ^= 1;
        assert_eq!(FileList::decode(&stored.digest, &bytes), Err(Error::Malformed), "byte {at}");
    }
    assert_eq!(FileList::decode(&stored.digest, &stored.bytes[1..]), Err(Error::Malformed));
    assert_eq!(FileList::decode("", &stored.bytes), Err(Error::Malformed));
}

/// Lists that we would not write, under their right digest.
#[test]
fn a_stored_list_keeps_the_rules_of_lists() {
    for (files, expected) in [
        (vec![("b", ""), ("a", "")], Error::Order("a".to_owned())),
        (vec![("a", ""), ("a", "")], Error::Order("a".to_owned())),
        (vec![("../a", "")], Error::BadKey("../a".to_owned())),
        (vec![("_delta_log/00000000000000000001.json", "")], Error::Log("_delta_log/00000000000000000001.json".into())),
        (vec![("a", "/data/x")], Error::Log("a".to_owned())),
        (vec![("_delta_log/00000000000000000001.checkpoint.parquet", "x")], Error::BadCheckpoint),
    ] {
        assert_eq!(decode(&plain(&files)), Err(expected), "{files:?}");
    }
    let good = plain(&[("a", "")]);
    assert!(decode(&good).is_ok());
    for bytes in [&good[1..], &good[..good.len() - 1], b"", b"charterhouse file list 3\n"] {
        assert_eq!(decode(bytes), Err(Error::Malformed));
    }
    let mut endless = good[..good.len() - 4].to_vec();
    endless.extend(u32::MAX.to_le_bytes());
    assert_eq!(decode(&endless), Err(Error::Malformed), "a length beyond the end");
    assert_eq!(decode(&vec![0; (256 << 20) + 1]), Err(Error::TooLarge), "a bomb is not unpacked");
}

#[test]
fn secrets_are_derived_and_do_not_show() {
    let (secrets, others) = (LeaseSecrets::new([7; 32]), LeaseSecrets::new([8; 32]));
    let (lease, other) = (LeaseId(Uuid::from_u128(1)), LeaseId(Uuid::from_u128(2)));
    let credentials = secrets.credentials(lease);
    assert_eq!(credentials, secrets.credentials(lease));
    assert_eq!(credentials.access_key_id, "00000000-0000-0000-0000-000000000001");
    assert_eq!(credentials.secret_access_key, secrets.secret(lease));
    let (secret, token) = (credentials.secret_access_key.expose(), credentials.session_token.expose());
    // `printf 'secret\0<lease id>' | openssl dgst -sha256 -mac hmac -macopt hexkey:0707..07`
    assert_eq!(secret, "2f5c5825c99466ff102a2bc3ee0190b51a8b4c7b11903b6913a735adaa4580e0");
    assert_eq!(token, "c9b4216037df5d64b69b9c56a13b06b2b5268e67388459fc9173aa7abbdb4866");
    for (secrets, lease) in [(&secrets, other), (&others, lease)] {
        assert_ne!(secrets.secret(lease).expose(), secret);
        assert!(!secrets.is_token(lease, token.as_bytes()));
    }
    assert!(secrets.is_token(lease, token.as_bytes()));
    for wrong in ["", secret, &token[1..], &format!("{token} "), &token.to_uppercase()] {
        assert!(!secrets.is_token(lease, wrong.as_bytes()), "{wrong}");
    }
    let shown = format!("{credentials:?} {secrets:?} {:?}", secrets.secret(lease));
    assert!(!shown.contains(secret) && !shown.contains(token) && !shown.contains('7'), "{shown}");
}

fn files(keys: &[&str]) -> Vec<PinnedFile> {
    let numbered = keys.iter().zip(1_u64..);
    numbered
        .map(|(key, number)| PinnedFile {
            path: (*key).to_owned(),
            size_bytes: 100 * number,
            mtime_ns: -1 - i64::try_from(number).unwrap(),
            inode: number,
            ctime_ns: Some(-number.cast_signed()),
            digest: (number % 2 == 0).then(|| FileDigest([u8::try_from(number % 256).unwrap(); 32])),
        })
        .collect()
}

fn checkpoint(path: &str) -> Checkpoint {
    Checkpoint { path: PathBuf::from(path), digest: FileDigest([7; 32]), size_bytes: 1, mtime_ns: 2, inode: 3 }
}

/// The bytes of a list before compression, of keys and the paths of our own files.
fn plain(files: &[(&str, &str)]) -> Vec<u8> {
    let mut plain = b"charterhouse file list 1\n".to_vec();
    for (key, own) in files {
        plain.extend(u32::try_from(key.len()).unwrap().to_le_bytes());
        plain.extend(key.bytes());
        plain.extend([0; 24]);
        plain.extend(u32::try_from(own.len()).unwrap().to_le_bytes());
        plain.extend(own.bytes());
    }
    plain
}

fn decode(plain: &[u8]) -> Result<FileList, Error> {
    let bytes = zstd::bulk::compress(plain, 1).unwrap();
    FileList::decode(&hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&bytes)), &bytes)
}

#[test]
fn a_list_of_an_earlier_release_is_read_without_change_times_and_digests() {
    let plain = plain(&[("a", ""), ("b", "")]);
    let list = decode(&plain).unwrap();
    let found = |entry: &ListedFile| (entry.file.ctime_ns, entry.file.digest);
    assert_eq!(list.entries().iter().map(found).collect::<Vec<_>>(), [(None, None), (None, None)]);
    let mut newer = plain.clone();
    newer[23] = b'2';
    assert_eq!(decode(&newer), Err(Error::Malformed), "flags are missing");
    // Flags that no release writes.
    let mut file = b"charterhouse file list 2\n".to_vec();
    file.extend(1_u32.to_le_bytes());
    file.extend(b"a");
    file.extend([0; 24]);
    file.push(4);
    file.extend(0_u32.to_le_bytes());
    assert_eq!(decode(&file), Err(Error::Malformed));
    file[25 + 5 + 24] = 0;
    assert!(decode(&file).is_ok());
}
