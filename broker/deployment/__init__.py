"""Files for whoever deploys it: units, container, proxy, dashboard, and the page that explains them."""
