"""Bearer tokens: JSON Web Tokens of configured issuers, verified offline with the issuers' public keys."""
