"""What was found, as people take it away: PDF, plots, CSV. The first two need the extra `reports`."""
