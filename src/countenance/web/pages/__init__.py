"""The HTML pages. They show what the API shows, through the same session, and hold no rule of their own."""
