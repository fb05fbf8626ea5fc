//! A dependency with locks of three kinds: parking_lot's, dashmap's and spin's.

use dashmap::DashMap;
use parking_lot::{Condvar, Mutex};

pub struct Inventory {
    stock: DashMap<u32, u32>,
    sales: Mutex<Vec<u32>>,
    sold: Condvar,
    total: spin::lock_api::Mutex<u32>,
}

impl Inventory {
    pub fn new() -> Self {
        let stock = DashMap::with_shard_amount(2);
        stock.insert(1, 10);
        let sales = Mutex::new(Vec::new()); // sales are made here
        let total = spin::lock_api::Mutex::new(0); // the total is made here
        Self { stock, sales, sold: Condvar::new(), total }
    }

    /// Stock, then sales, then the total.
    pub fn sell(&self, item: u32) {
        let mut left = self.stock.get_mut(&item).expect("it is in stock");
        let mut sales = self.sales.lock(); // sell takes sales
        *left -= 1;
        sales.push(item);
        *self.total.lock() += 1; // sell takes the total
        self.sold.notify_all();
    }

    /// Right: one after the other.
    pub fn sold(&self) -> usize {
        let sales = self.sales.lock().clone();
        sales.iter().filter(|item| self.stock.contains_key(item)).count()
    }

    /// Wrong: sales, then stock.
    pub fn sold_and_in_stock(&self) -> usize {
        let sales = self.sales.lock(); // asking takes sales
        sales.iter().filter(|item| self.stock.contains_key(item)).count() // asking takes stock
    }

    /// Wrong: the total, then sales.
    pub fn close(&self) {
        let mut total = self.total.lock(); // close takes the total
        self.sales.lock().clear(); // close takes sales
        *total = 0;
    }

    /// Waits until something is sold.
    pub fn wait_for_a_sale(&self) {
        let mut sales = self.sales.lock();
        while sales.is_empty() {
            self.sold.wait(&mut sales);
        }
    }
}

impl Default for Inventory {
    fn default() -> Self {
        Self::new()
    }
}
