use super::subject::{FairMutex, Mutex, ReentrantMutex, RwLock};

#[test]
fn locks_are_written_as_their_data() {
    let (mutex, rwlock) = (Mutex::new(vec![1, 2]), RwLock::new("text".to_string()));
    assert_eq!(serde_json::to_string(&mutex).unwrap(), "[1,2]");
    assert_eq!(serde_json::to_string(&rwlock).unwrap(), "\"text\"");
    assert_eq!(serde_json::to_string(&FairMutex::new(1)).unwrap(), "1");
    assert_eq!(serde_json::to_string(&ReentrantMutex::new(1)).unwrap(), "1");
    assert_eq!(serde_json::from_str::<Mutex<Vec<u8>>>("[1,2]").unwrap().into_inner(), [1, 2]);
    assert_eq!(serde_json::from_str::<RwLock<String>>("\"text\"").unwrap().into_inner(), "text");
    assert_eq!(serde_json::from_str::<FairMutex<u8>>("1").unwrap().into_inner(), 1);
    assert_eq!(serde_json::from_str::<ReentrantMutex<u8>>("1").unwrap().into_inner(), 1);
    assert!(serde_json::from_str::<Mutex<u8>>("\"text\"").is_err());
}
