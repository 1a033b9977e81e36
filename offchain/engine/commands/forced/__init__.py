"""What an owner forces through the inbox: one file for each way out, and `entry`, which asks it."""
