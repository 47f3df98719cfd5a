"""What the law asks of each luminaire: the order of 27 December 2018 on light nuisances, article by article."""
