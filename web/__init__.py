"""The supervisor's console and the visitor's phone page: where people meet the system."""
