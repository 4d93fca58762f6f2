"""More than can be done, and clients who take their time: whoever asks for what is theirs is still answered."""
