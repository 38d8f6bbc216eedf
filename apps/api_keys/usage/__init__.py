"""What keys are used for, by day: requests, which each process counts into Valkey and a tick writes into PostgreSQL,
and finished runs, which are written in the transaction that ends them."""
