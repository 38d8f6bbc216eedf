"""What a person's words say of six states: English text to six scores, without a network and without Django."""
