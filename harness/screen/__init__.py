"""What a terminal shows of studies, plans and runs."""
