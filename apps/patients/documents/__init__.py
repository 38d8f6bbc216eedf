"""Files of patients: taken in as a stream, judged by content, checked apart, and served by signed links."""
