"""What the server would say to a plan, found out before anything is sent."""
