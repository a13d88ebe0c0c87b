"""What several tests share: writers of genuine inbox files, the independent oracle, the identity scanner and
the runner of whole jobs. Nothing here imports the product; a test that needs it says so itself."""
