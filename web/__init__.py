"""The dashboard: an HTTPS server of sealed footage. It knows neither configuration files nor identities."""
