"""Sessions, passwords, throttling of sign-ins, same-origin check, headers, forms held over a sign-in."""
