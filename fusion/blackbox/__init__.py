"""Fusion of experts that only answer queries: nobody opens them, and they need no parameters."""
