"""What shows a report: page, Markdown, JSON, terminal; and what checks it."""
