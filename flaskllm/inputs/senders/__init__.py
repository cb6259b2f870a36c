"""Who delivers mail and meetings, one module each; pure."""
