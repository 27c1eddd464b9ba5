"""Auth & Access: login, token refresh, permission checks, and the sign-in page."""
