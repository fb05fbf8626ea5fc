//! Orders of taking locks, by threads that come one after the other.

use shop::Inventory;

fn one_after_the_other(inventory: &Inventory, threads: [fn(&Inventory); 2]) {
    for thread in threads {
        std::thread::scope(|scope| scope.spawn(|| thread(inventory)).join().expect("it does not panic"));
    }
}

#[test]
fn right() {
    let inventory = Inventory::new();
    one_after_the_other(&inventory, [|inventory| inventory.sell(1), |inventory| assert_eq!(inventory.sold(), 1)]);
    inventory.wait_for_a_sale();
    assert_eq!(shop::PRICE, 7);
}

#[test]
fn wrong() {
    let inventory = Inventory::new();
    one_after_the_other(
        &inventory,
        [|inventory| inventory.sell(1), |inventory| assert_eq!(inventory.sold_and_in_stock(), 1)],
    );
    one_after_the_other(&inventory, [|inventory| inventory.close(), |inventory| inventory.sell(1)]);
}
