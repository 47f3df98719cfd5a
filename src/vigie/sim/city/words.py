"""Words that French streets are named after: public persons of the past, trees, birds, trades, vineyards, places."""


def _list(text: str) -> tuple[str, ...]:
    """The words of a text that are parted by commas."""
    return tuple(" ".join(word.split()) for word in text.split(","))


PERSONS = _list(
    """
    Victor Hugo, Jean Jaurès, Émile Zola, Jules Ferry, Gambetta, Pasteur, Voltaire, Diderot, Molière, Racine,
    Corneille, La Fontaine, Montaigne, Rabelais, Ronsard, du Bellay, Lamartine, Musset, Vigny, Chateaubriand,
    Balzac, Flaubert, Stendhal, Maupassant, Alphonse Daudet, George Sand, Verlaine, Rimbaud, Baudelaire,
    Mallarmé, Apollinaire, Guillaume Budé, Colette, Marcel Proust, Paul Valéry, Paul Claudel, Charles Péguy,
    Anatole France, Edmond Rostand, Jules Verne, Jules Renard, Alexandre Dumas, Théophile Gautier, Gérard de
    Nerval, Frédéric Mistral, Pierre Loti, Hector Malot, Louis Pergaud, Jules Vallès, Jean de La Bruyère,
    Bossuet, Buffon, Rameau, Rude, Crébillon, Piron, Monge, Carnot, Eiffel, Vauban, Guyton de Morveau, Henri
    Darcy, Mariotte, Lavoisier, Ampère, Laplace, Lagrange, Fourier, Fresnel, Gay-Lussac, Cuvier, Lamarck, Arago,
    Galilée, Copernic, Kepler, Newton, Descartes, Pascal, Fermat, Évariste Galois, Sophie Germain, Marie Curie,
    Pierre Curie, Henri Becquerel, Claude Bernard, Laennec, Ambroise Paré, Jussieu, Linné, Parmentier,
    Montgolfier, Nicéphore Niépce, Daguerre, Lumière, Denis Papin, Jacquard, Clément Ader, Louis Blériot, Hélène
    Boucher, Maryse Bastié, Roland Garros, Guynemer, Mermoz, Nadar, Gutenberg, Ferdinand de Lesseps, Philibert
    Delorme, Mansart, Le Nôtre, Soufflot, Claus Sluter, Rogier van der Weyden, Poussin, Watteau, Fragonard,
    Chardin, Greuze, Prud'hon, Ingres, Delacroix, Géricault, Corot, Courbet, Millet, Manet, Monet, Renoir,
    Degas, Cézanne, Pissarro, Sisley, Berthe Morisot, Toulouse-Lautrec, Gauguin, Van Gogh, Seurat, Rodin,
    Camille Claudel, Bourdelle, François Pompon, Couperin, Lully, Berlioz, Gounod, Bizet, Massenet, Saint-Saëns,
    César Franck, Fauré, Debussy, Ravel, Erik Satie, Chopin, Mozart, Beethoven, Bach, Vivaldi, Verdi, Rossini,
    Charlemagne, Clovis, Vercingétorix, Philippe le Bon, Jean sans Peur, Charles le Téméraire, Philippe le
    Hardi, Marguerite de Flandre, Jeanne d'Arc, Bayard, Du Guesclin, Sully, Colbert, Turgot, Necker, Mirabeau,
    Condorcet, La Fayette, Danton, Camille Desmoulins, Olympe de Gouges, Hoche, Kléber, Marceau, Desaix, Davout,
    Thiers, Ledru-Rollin, Louis Blanc, Lamennais, Blanqui, Garibaldi, Louise Michel, Waldeck-Rousseau, Aristide
    Briand, Raymond Poincaré, Clemenceau, Foch, Joffre, Lyautey, Gallieni, Général Leclerc, Général de Gaulle,
    Jean Moulin, Pierre Brossolette, Lucie Aubrac, Berty Albrecht, Guy Môquet, Danielle Casanova, Simone Weil,
    Germaine Tillion, Geneviève Anthonioz, Pierre Mendès France, Léon Blum, Roger Salengro, Marcel Sembat, Jean
    Zay, Robert Schuman, Jean Monnet, Franklin Roosevelt, Winston Churchill, Abraham Lincoln, Benjamin Franklin,
    Hubertine Auclert, Maria Deraismes, Flora Tristan, Élisa Lemonnier, Marie Laurencin, Séverine, Nelly
    Roussel, Suzanne Lenglen, Pierre de Coubertin, Jean Bouin, Alain Mimoun, Georges Carpentier, Alfred de
    Vigny, Aloysius Bertrand, Alexis Perrey, Étienne Dolet, Clément Marot, Maurice Scève, Louise Labé, Madame de
    Sévigné, Madame de Staël, Marivaux, Beaumarchais, Lesage, Florian, Chénier, Boileau, Fénelon, Malherbe,
    Saint-Simon, Bernard Palissy, Olivier de Serres, Jacques Cartier, Champlain, La Pérouse, Bougainville,
    Dumont d'Urville, Charcot, Surcouf, Jean Bart, Tourville, Duquesne, Suffren, Henri Dunant, Raspail, Paul
    Bert, Marcelin Berthelot, Sadi Carnot, Camille Flammarion, Élisée Reclus, Vidal de La Blache, Ernest Renan,
    Michelet, Edgar Quinet, Augustin Thierry, Tocqueville, Auguste Comte, Proudhon, Saint-Exupéry, Antoine
    Bourdelle, Jean Mermoz, Charles Dumont, Jacques Prévert
    """
)

NATURE = _list(
    """
    des Acacias, des Aubépines, des Bouleaux, des Bruyères, des Cèdres, des Cerisiers, des Charmes, des
    Châtaigniers, des Chênes, des Coquelicots, des Cytises, des Églantiers, des Érables, des Frênes, des
    Fusains, des Genêts, des Glycines, des Hêtres, des Hortensias, des Iris, des Jonquilles, des Lauriers, des
    Lavandes, des Lilas, des Lys, des Magnolias, des Marronniers, des Mélèzes, des Mimosas, des Muguets, des
    Mûriers, des Myosotis, des Noisetiers, des Noyers, des Œillets, des Ormes, des Pâquerettes, des Pervenches,
    des Peupliers, des Pins, des Platanes, des Pivoines, des Poiriers, des Pommiers, des Pruniers, des
    Primevères, des Roses, des Rosiers, des Sapins, des Saules, des Sorbiers, des Sureaux, des Sycomores, des
    Tilleuls, des Trembles, des Troènes, des Tulipes, des Violettes, des Alouettes, des Bergeronnettes, des
    Bouvreuils, des Cailles, des Chardonnerets, des Cigognes, des Colombes, des Fauvettes, des Geais, des
    Grives, des Hérons, des Hirondelles, des Loriots, des Martinets, des Mésanges, des Merles, des Mouettes, des
    Perdrix, des Pics-verts, des Pinsons, des Rossignols, des Rouges-gorges, des Sarcelles, des Tourterelles,
    des Verdiers, des Écureuils, des Abeilles, des Cigales, des Libellules, des Papillons, du Blé d'Or, des
    Blés, des Moissons, des Prés, des Prairies, des Vergers, des Jardins, des Sources, du Ruisseau, de la
    Fontaine, du Lavoir, de l'Étang, du Moulin, du Bief, de la Rivière, du Gué, du Pont, des Roseaux, des
    Saulaies, du Clair Bois, du Petit Bois, de la Forêt, de la Combe, des Combottes, du Coteau, de la Côte, de
    la Colline, de la Montagne, du Plateau, du Vallon, de la Vallée, des Roches, de la Carrière, du Soleil, du
    Levant, du Couchant, du Midi, de l'Aurore, de Bellevue, du Belvédère, du Beau Site, du Bel Air, du Grand
    Air, des Quatre Vents
    """
)

TOWN = _list(
    """
    de la Liberté, de la République, de l'Égalité, de la Fraternité, de la Paix, de la Concorde, de l'Espérance,
    du Progrès, de l'Avenir, de l'Industrie, du Travail, du Drapeau, de la Victoire, de Verdun, de la Marne, de
    Champagne, d'Alsace, de Lorraine, de Metz, de Strasbourg, de Nancy, de Colmar, de Belfort, de Besançon, de
    Dole, de Gray, de Langres, de Troyes, d'Auxerre, d'Autun, de Beaune, de Nuits, de Seurre, de Saulieu, de
    Semur, de Mâcon, de Cluny, de Tournus, de Chalon, de Lyon, de Paris, de Genève, de Mayence, de Turin, de
    Prague, de Reggio, de Volgograd, de Skopje, d'Europe, du Parc, du Château, de l'Église, du Presbytère, du
    Couvent, du Cloître, de la Chapelle, de l'Abbaye, du Prieuré, du Chapitre, de la Chartreuse, des Carmélites,
    des Ursulines, des Jacobins, des Capucins, des Cordeliers, des Bernardines, Notre-Dame, Saint-Bénigne,
    Saint-Michel, Saint-Philibert, Saint-Jean, Saint-Pierre, Saint-Nicolas, Saint-Martin, Saint-Vincent,
    Sainte-Anne, Sainte-Chapelle, Saint-Bernard, Saint-Lazare, Saint-Jacques, Saint-Antoine, Saint-Éloi,
    Saint-Fiacre, Saint-Hubert, Saint-Joseph, des Forges, des Tanneries, des Tonneliers, des Vignerons, des
    Vendangeurs, des Maraîchers, des Jardiniers, des Laboureurs, des Bergers, des Meuniers, des Boulangers, des
    Bouchers, des Potiers, des Tisserands, des Cordiers, des Charrons, des Maréchaux, des Forgerons, des
    Carriers, des Tailleurs de pierre, des Bateliers, des Éclusiers, du Port, du Canal, de l'Écluse, du Halage,
    de la Gare, du Tunnel, du Viaduc, du Chemin de fer, du Marché, des Halles, de la Poste, de l'Hôpital, du
    Théâtre, du Musée, du Collège, des Écoles, de la Mairie, de la Préfecture, du Palais, de la Monnaie, du
    Bourg, des Remparts, de la Porte Neuve, des Fossés, du Rempart, du Vieux Collège, du Petit Potet, du Grand
    Four, de la Chouette, de la Verrerie, de la Chaudronnerie, de la Préfecture Vieille, des Bons Enfants, des
    Godrans, des Rosiers Vieux, du Lycée, de l'Arquebuse, du Creux d'Enfer, des Perrières, de la Romanée, du
    Chambertin, de Corton, de Pommard, de Volnay, de Meursault, de Montrachet, du Clos de Vougeot, de Gevrey, de
    Fixin, de Morey, de Chambolle, d'Aloxe, de Santenay, du Pinot, du Chardonnay, de l'Aligoté, du Cassis, des
    Vignes, des Grandes Vignes, des Petites Vignes, des Vignes Blanches, du Clos, du Grand Clos, du Clos
    Chauveau, des Crais, des Champs Perdrix, des Longues Raies, des Valendons, des Poussots, des Grésilles, de
    la Colombière, des Argentières, de la Toison d'Or, de la Croix, de la Croix Blanche, de la Maladière, de la
    Motte, du Tertre, du Puits, du Puits Neuf, du Four, de la Grange, de la Ferme, de la Corvée, des Corvées, du
    Pâquis, des Pâtis, de la Garenne, de la Charme, des Varennes, des Essarts
    """
)
