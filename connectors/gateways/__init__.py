"""What departments' gateways want before they listen: proofs of who asks, renewed secrets, sealed bodies."""
