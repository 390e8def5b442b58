"""A witness of logs (C2SP tlog-witness): what it remembers of each, and what it answers. It needs neither PostgreSQL nor NATS."""
