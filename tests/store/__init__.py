"""The two stores beneath the one door: settings, migrations, which processes live."""
