"""A department's side: its items and their stops, planned outages, who used its data, applications, agreements."""
