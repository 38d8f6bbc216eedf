"""What a customer's own identifier of a person, the label of its runs, leads to."""
