//! lockscope-parking_lot
