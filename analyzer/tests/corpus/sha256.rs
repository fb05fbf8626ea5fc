//! SHA-256 (FIPS 180-4), for lists of event numbers that the corpus gives by their hash.

/// The digest, in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut message = bytes.to_vec();
    message.push(0x80);
    message.resize(message.len().next_multiple_of(64), 0);
    if message.len() - bytes.len() < 9 {
        message.resize(message.len() + 64, 0);
    }
    let end = message.len() - 8;
    message[end..].copy_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    let mut state: Vec<u32> = primes().take(8).map(|prime| fraction(f64::from(prime).sqrt())).collect();
    let constants: Vec<u32> = primes().take(64).map(|prime| fraction(f64::from(prime).cbrt())).collect();
    for block in message.chunks_exact(64) {
        let word = |bytes: &[u8]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let mut words: Vec<u32> = block.chunks_exact(4).map(word).collect();
        for t in 16..64 {
            let [a, b] = [words[t - 15], words[t - 2]];
            let small0 = a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3;
            let small1 = b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10;
            words.push(words[t - 16].wrapping_add(small0).wrapping_add(words[t - 7]).wrapping_add(small1));
        }
        let mut v = state.clone();
        for (word, constant) in words.iter().zip(&constants) {
            let sum1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = v[4] & v[5] ^ !v[4] & v[6];
            let sum0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2];
            let one = v[7].wrapping_add(sum1).wrapping_add(choice).wrapping_add(*constant).wrapping_add(*word);
            let two = sum0.wrapping_add(majority);
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(one);
            v[0] = one.wrapping_add(two);
        }
        state.iter_mut().zip(v).for_each(|(state, v)| *state = state.wrapping_add(v));
    }
    state.iter().map(|word| format!("{word:08x}")).collect()
}

/// The first 32 bits of what is behind the point.
fn fraction(number: f64) -> u32 {
    (number.fract() * f64::from(2u32.pow(16)) * f64::from(2u32.pow(16))) as u32
}

fn primes() -> impl Iterator<Item = u32> {
    (2..).filter(|&n: &u32| (2..n).all(|d| n % d != 0))
}

#[test]
fn digests_of_the_standard() {
    assert_eq!(hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(hex(&[b'a'; 56]), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
}
