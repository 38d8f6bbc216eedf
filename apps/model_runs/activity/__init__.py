"""The hosted activity: a page on which a person records themselves, behind a link that is good for one run."""
