"""What comes in: senders deliver, proven and readable deliveries become jobs."""
