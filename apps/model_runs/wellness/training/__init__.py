"""How the weights of the wellness model come about; nothing here runs when a recording is scored."""
