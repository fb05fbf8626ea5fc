use super::subject;

#[test]
fn as_the_data() {
    let mutex = subject::Mutex::<parking_lot_0_12::RawMutex, _>::new(vec![1, 2]);
    let text = serde_json::to_string(&mutex).unwrap();
    let back: subject::Mutex<parking_lot_0_12::RawMutex, Vec<u8>> = serde_json::from_str(&text).unwrap();
    assert_eq!((text.as_str(), back.into_inner()), ("[1,2]", vec![1, 2]));
    let lock = subject::RwLock::<parking_lot_0_12::RawRwLock, _>::new(Some("a".to_owned()));
    let text = serde_json::to_string(&lock).unwrap();
    let back: subject::RwLock<parking_lot_0_12::RawRwLock, Option<String>> = serde_json::from_str(&text).unwrap();
    assert_eq!((text.as_str(), back.into_inner()), (r#""a""#, Some("a".to_owned())));
}

#[cfg(feature = "atomic_usize")]
#[test]
fn reentrant() {
    type ReentrantMutex<T> = subject::ReentrantMutex<parking_lot_0_12::RawMutex, parking_lot_0_12::RawThreadId, T>;
    let text = serde_json::to_string(&ReentrantMutex::new(5)).unwrap();
    assert_eq!((text.as_str(), serde_json::from_str::<ReentrantMutex<u8>>(&text).unwrap().into_inner()), ("5", 5));
}
