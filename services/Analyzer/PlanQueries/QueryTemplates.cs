using System.Globalization;

namespace Assay.Analyzer.PlanQueries;

/// <summary>
/// Buyers' queries from built-in wording, for panels without an advisor and to fill up what an advisor left short.
/// The order is fixed, so that the same request always gets the same panel.
/// </summary>
static class QueryTemplates
{
    /// <summary>Candidates category by category, taken in turns; far more than the largest panel needs.</summary>
    public static IEnumerable<CandidateQuery> For(PanelTopic topic)
    {
        var wording = Wording.Of(topic.Language);
        var streams = QueryCategories.Planned
            .Select(category => Category(wording, category, topic).Select(text => new CandidateQuery(text, category)).GetEnumerator())
            .ToList();
        try
        {
            while (streams.Count > 0)
            {
                for (var i = 0; i < streams.Count; i++)
                {
                    if (streams[i].MoveNext())
                        yield return streams[i].Current;
                    else
                    {
                        streams[i].Dispose();
                        streams.RemoveAt(i--);
                    }
                }
            }
        }
        finally
        {
            streams.ForEach(stream => stream.Dispose());
        }
    }

    public static string ControlQuery(PanelTopic topic, string fictitiousBrand) =>
        Fill(Wording.Of(topic.Language).Control, topic.Topic, fictitiousBrand);

    /// <summary>The same question in plain other wordings, in a fixed order; none in a language without wording.</summary>
    public static IEnumerable<string> Paraphrases(string language, string query) =>
        Speaks(language) ? Wording.Of(language).Frames.Select(frame => Fill(frame, query, "")) : [];

    /// <summary>Whether there is wording in this language; an English panel asked of a German market would measure something else.</summary>
    public static bool Speaks(string language) => Wording.Knows(language);

    static IEnumerable<string> Category(Wording wording, string category, PanelTopic topic) => category switch
    {
        QueryCategories.CategoryBest => Crossed(wording.Best, topic.Topic, [""]).Concat(Crossed(wording.BestWithPlace, topic.Topic, wording.Places)),
        QueryCategories.UseCase => Crossed(wording.UseCase, topic.Topic, wording.Audiences)
            .Concat(CrossedTwice(wording.AudienceAndQuality, topic.Topic, wording.Audiences, wording.Qualities))
            .Concat(CrossedTwice(wording.AudienceAndPlace, topic.Topic, wording.Audiences, wording.Places)),
        QueryCategories.Problem => Crossed(wording.Problem, topic.Topic, wording.Problems),
        QueryCategories.Price => Crossed(wording.Price, topic.Topic, [""]).Concat(Crossed(wording.PriceWithAudience, topic.Topic, wording.Audiences)),
        QueryCategories.Feature => Crossed(wording.Feature, topic.Topic, [.. topic.Features, .. wording.Qualities]),
        QueryCategories.Local => Crossed(wording.Local, topic.Topic, wording.Places),
        QueryCategories.Comparison => Crossed(wording.Versus, topic.Brand, topic.Competitors).Concat(Crossed(wording.CompareQuality, topic.Topic, wording.Qualities)),
        QueryCategories.Alternatives => Crossed(wording.AlternativesTo, topic.Topic, [topic.Brand, .. topic.Competitors]).Concat(Crossed(wording.Instead, topic.Topic, wording.Audiences)),
        _ => [],
    };

    static IEnumerable<string> Crossed(IReadOnlyList<string> templates, string topic, IReadOnlyList<string> others) =>
        from template in templates from other in others select Fill(template, topic, other);

    static IEnumerable<string> CrossedTwice(string template, string topic, IReadOnlyList<string> firsts, IReadOnlyList<string> seconds) =>
        from second in seconds from first in firsts select Fill(template, topic, first, second);

    static string Fill(string template, string topic, string other, string third = "") =>
        string.Format(CultureInfo.InvariantCulture, template, topic, other, third);

    /// <summary>The sentences of one language: <c>{0}</c> is the topic (in <see cref="Versus"/> the brand), <c>{1}</c> what it is crossed with.</summary>
    sealed record Wording(
        string[] Best, string[] BestWithPlace, string[] UseCase, string[] Problem, string[] Price, string[] PriceWithAudience,
        string[] Feature, string[] Local, string[] Versus, string[] CompareQuality, string[] AlternativesTo, string[] Instead, string AudienceAndQuality, string AudienceAndPlace, string[] Frames, string Control,
        string[] Audiences, string[] Problems, string[] Qualities, string[] Places)
    {
        public static bool Knows(string language) => language is "en" or "de" or "fr" or "es";

        public static Wording Of(string language) => language switch
        {
            "de" => German,
            "fr" => French,
            "es" => Spanish,
            _ => English,
        };

        static readonly Wording English = new(
            Best:
            [
                "What are the best brands for {0}?", "Which {0} brand is the most reliable right now?", "Who makes the best {0}?",
                "What {0} would you recommend to a friend?", "Which companies lead in {0}?", "What is the top rated choice in {0}?",
                "Which {0} brands do experts trust?", "Which newcomers in {0} are worth a look?",
            ],
            BestWithPlace: ["What are the best {0} brands for buyers in {1}?", "Which {0} brands are popular in {1}?"],
            UseCase: ["What is the best choice in {0} for {1}?", "Which brand should I look at in {0} for {1}?", "Recommend something in {0} that suits {1}."],
            Problem:
            [
                "I want something in {0} that does not {1}. What should I get?", "Which {0} brands are known not to {1}?",
                "My last purchase in {0} turned out to {1}. What is a better option?",
            ],
            Price:
            [
                "What is the best value for money in {0}?", "Which affordable {0} brands are actually good?", "Is it worth paying more for premium {0}?",
                "What is the best budget option in {0}?", "Which mid-range {0} brand should I buy?",
            ],
            PriceWithAudience: ["What is the best affordable choice in {0} for {1}?", "How much should I spend on {0} for {1}, and on which brand?"],
            Feature: ["Which {0} brands are best for {1}?", "I care most about {1}. Which {0} should I buy?", "Who offers the best {1} in {0}?"],
            Local: ["Where can I buy good {0} in {1}, and which brand?", "Which {0} brand has the best service in {1}?", "What do people in {1} choose for {0}?"],
            Versus: ["{0} or {1}: which is better?", "How does {0} compare with {1}?", "Should I buy {0} or {1}?"],
            CompareQuality: ["Compare the leading {0} brands by {1}.", "Which two {0} brands would you compare for {1}?"],
            AlternativesTo: ["What are good alternatives to {1}?", "Which brands are similar to {1}?"],
            Instead: ["What is an alternative to the usual big names in {0} for {1}?", "Which lesser known {0} brands suit {1}?"],
            AudienceAndQuality: "What {0} do you recommend for {1} when {2} matters most?",
            AudienceAndPlace: "Which {0} brand would you pick for {1} in {2}?",
            Frames:
            [
                "Help me decide: {0}", "{0} Please name specific brands.", "I have been reading reviews and am still unsure. {0}", "{0} A short answer is enough.",
                "A friend asked me this: {0}", "{0} Tell me why, too.", "I want to buy soon. {0}", "Quick question: {0}", "{0} I am open to any brand.",
            ],
            Control: "Is {1} a good brand for {0}? What is it known for?",
            Audiences:
            [
                "beginners", "students", "small businesses", "families", "professionals", "frequent travellers", "people who work from home", "seniors",
                "a first-time buyer", "heavy daily use", "occasional use", "a gift", "large teams", "people on a tight budget", "enthusiasts",
                "sports and outdoor use", "commuting", "a small flat", "demanding users", "people who value simplicity", "long trips", "creative work",
                "schools", "non-technical users", "night shifts", "hot climates", "shared use", "start-ups", "people who switch brands", "everyday use",
            ],
            Problems:
            [
                "break after a year", "cost a fortune", "need constant support", "take hours to set up", "disappoint after a few weeks", "come with hidden costs",
                "lose quality over time", "lock me in", "have poor customer service", "feel outdated soon", "waste energy", "get in the way",
                "fail when it matters", "need spare parts that nobody sells", "come with confusing instructions",
            ],
            Qualities:
            [
                "reliability", "durability", "customer support", "ease of use", "warranty", "design", "value for money", "sustainability", "innovation", "safety",
                "delivery time", "compatibility", "performance", "comfort", "privacy", "after-sales service", "quality of materials", "energy use",
            ],
            Places:
            [
                "the United States", "the United Kingdom", "Canada", "Australia", "New York", "California", "Texas", "Florida", "London", "Toronto", "Sydney",
                "Chicago", "Seattle", "Boston", "Ireland", "a small town", "Denver", "Atlanta", "Manchester", "Melbourne",
            ]);

        static readonly Wording German = new(
            Best:
            [
                "Welche Marken sind die besten für {0}?", "Welche Marke ist bei {0} derzeit am zuverlässigsten?", "Wer macht die besten Produkte im Bereich {0}?",
                "Was empfiehlst du einem Freund im Bereich {0}?", "Welche Unternehmen führen bei {0}?", "Welchen Marken vertrauen Fachleute bei {0}?",
            ],
            BestWithPlace: ["Welche Marken für {0} sind in {1} am besten?", "Welche Marken für {0} sind in {1} beliebt?"],
            UseCase: ["Was ist im Bereich {0} die beste Wahl für {1}?", "Welche Marke passt bei {0} zu {1}?", "Empfiehl etwas aus dem Bereich {0} für {1}."],
            Problem: ["Ich suche etwas im Bereich {0} ohne {1}. Was soll ich nehmen?", "Welche Marken bei {0} sind dafür bekannt, ohne {1} auszukommen?"],
            Price: ["Was bietet bei {0} am meisten fürs Geld?", "Welche günstigen Marken für {0} sind wirklich gut?", "Lohnt es sich, bei {0} mehr auszugeben?"],
            PriceWithAudience: ["Was ist bei {0} eine günstige Wahl für {1}?", "Wie viel sollte man für {0} ausgeben, wenn es um {1} geht, und für welche Marke?"],
            Feature: ["Welche Marken für {0} sind bei {1} am besten?", "Mir ist {1} am wichtigsten. Was soll ich im Bereich {0} kaufen?"],
            Local: ["Wo kauft man in {1} gute Produkte im Bereich {0}, und von welcher Marke?", "Welche Marke für {0} hat in {1} den besten Service?"],
            Versus: ["{0} oder {1}: Was ist besser?", "Wie schneidet {0} gegen {1} ab?", "Soll ich {0} oder {1} kaufen?"],
            CompareQuality: ["Vergleiche die führenden Marken für {0} nach {1}.", "Welche zwei Marken für {0} würdest du bei {1} vergleichen?"],
            AlternativesTo: ["Was sind gute Alternativen zu {1}?", "Welche Marken sind ähnlich wie {1}?"],
            Instead: ["Was ist bei {0} eine Alternative zu den großen Namen für {1}?", "Welche weniger bekannten Marken für {0} passen zu {1}?"],
            AudienceAndQuality: "Was empfiehlst du im Bereich {0} für {1}, wenn es vor allem auf {2} ankommt?",
            AudienceAndPlace: "Welche Marke für {0} würdest du für {1} in {2} wählen?",
            Frames:
            [
                "Hilf mir bei der Entscheidung: {0}", "{0} Nenne bitte konkrete Marken.", "Ich habe Tests gelesen und bin noch unsicher. {0}", "{0} Eine kurze Antwort genügt.",
                "Ein Freund hat mich gefragt: {0}", "{0} Sag mir auch, warum.", "Ich möchte bald kaufen. {0}", "Kurze Frage: {0}", "{0} Ich bin für jede Marke offen.",
            ],
            Control: "Ist {1} eine gute Marke für {0}? Wofür ist sie bekannt?",
            Audiences: ["Einsteiger", "Studierende", "kleine Firmen", "Familien", "Profis", "Vielreisende", "das Homeoffice", "Senioren", "den täglichen Gebrauch", "den gelegentlichen Gebrauch", "ein Geschenk", "große Teams", "Kenner", "Pendler", "eine kleine Wohnung", "lange Reisen", "Schulen", "Vereine", "anspruchsvolle Nutzer", "den Außeneinsatz"],
            Problems: ["versteckte Kosten", "schlechten Service", "lange Einrichtung", "ständige Reparaturen", "hohen Verbrauch", "schwierige Bedienung", "schnellen Verschleiß", "lange Lieferzeiten", "Bindung an einen Anbieter", "unnötige Funktionen"],
            Qualities: ["Zuverlässigkeit", "Haltbarkeit", "Service", "Bedienung", "Garantie", "Design", "Nachhaltigkeit", "Sicherheit", "Leistung", "Komfort", "Datenschutz", "Verarbeitung", "Energieverbrauch", "Lieferzeit"],
            Places: ["Deutschland", "Österreich", "der Schweiz", "Berlin", "München", "Hamburg", "Köln", "Wien", "Zürich", "Frankfurt", "Stuttgart", "einer Kleinstadt"]);

        static readonly Wording French = new(
            Best:
            [
                "Quelles sont les meilleures marques pour {0} ?", "Quelle marque est la plus fiable pour {0} ?", "Que recommanderais-tu à un ami pour {0} ?",
                "Quelles entreprises dominent le marché : {0} ?", "À quelles marques les experts font-ils confiance pour {0} ?",
            ],
            BestWithPlace: ["Quelles marques choisir pour {0} : {1} ?", "Quelles marques sont populaires pour {0} : {1} ?"],
            UseCase: ["Quel est le meilleur choix pour {0}, destiné à {1} ?", "Quelle marque convient à {1} pour {0} ?", "Recommande quelque chose pour {0}, adapté à {1}."],
            Problem: ["Je cherche une solution pour {0} sans {1}. Que choisir ?", "Quelles marques pour {0} permettent d'éviter {1} ?"],
            Price: ["Quel est le meilleur rapport qualité-prix pour {0} ?", "Quelles marques abordables sont vraiment bonnes pour {0} ?", "Faut-il payer plus cher pour {0} ?"],
            PriceWithAudience: ["Quel choix abordable pour {0}, destiné à {1} ?", "Combien dépenser pour {0}, destiné à {1}, et pour quelle marque ?"],
            Feature: ["Quelles marques pour {0} sont les meilleures en matière de {1} ?", "Ma priorité : {1}. Que choisir pour {0} ?"],
            Local: ["Où acheter pour {0} et quelle marque choisir : {1} ?", "Quelle marque pour {0} offre le meilleur service : {1} ?"],
            Versus: ["{0} ou {1} : lequel est le meilleur ?", "Que vaut {0} face à {1} ?", "Faut-il acheter {0} ou {1} ?"],
            CompareQuality: ["Compare les grandes marques pour {0} selon ce critère : {1}.", "Quelles deux marques comparer pour {0} selon ce critère : {1} ?"],
            AlternativesTo: ["Quelles sont les bonnes alternatives à {1} ?", "Quelles marques ressemblent à {1} ?"],
            Instead: ["Quelle alternative aux grands noms pour {0}, destinée à {1} ?", "Quelles marques moins connues pour {0} conviennent à {1} ?"],
            AudienceAndQuality: "Que recommandes-tu pour {0}, destiné à {1}, si la priorité est : {2} ?",
            AudienceAndPlace: "Quelle marque choisir pour {0}, destiné à {1}, {2} ?",
            Frames:
            [
                "Aide-moi à décider : {0}", "{0} Cite des marques précises, s'il te plaît.", "J'ai lu des tests et j'hésite encore. {0}", "{0} Une réponse courte suffit.",
                "Un ami m'a demandé : {0}", "{0} Dis-moi aussi pourquoi.", "Je veux acheter bientôt. {0}", "Petite question : {0}", "{0} Je suis ouvert à toutes les marques.",
            ],
            Control: "Est-ce que {1} est une bonne marque pour {0} ? Pour quoi est-elle connue ?",
            Audiences: ["des débutants", "des étudiants", "de petites entreprises", "des familles", "des professionnels", "de grands voyageurs", "le télétravail", "des seniors", "un usage quotidien", "un usage occasionnel", "un cadeau", "de grandes équipes", "des passionnés", "un petit appartement", "des écoles", "un usage en extérieur", "de longs trajets", "des utilisateurs exigeants"],
            Problems: ["des coûts cachés", "un mauvais service", "une installation longue", "des pannes répétées", "une forte consommation", "une usure rapide", "des délais de livraison", "une prise en main difficile"],
            Qualities: ["fiabilité", "durabilité", "service client", "simplicité", "garantie", "design", "sécurité", "performance", "confort", "confidentialité", "qualité de fabrication", "consommation"],
            Places: ["en France", "en Belgique", "en Suisse", "au Québec", "à Paris", "à Lyon", "à Marseille", "à Bruxelles", "à Genève", "à Lille", "à Toulouse", "à Bordeaux"]);

        static readonly Wording Spanish = new(
            Best:
            [
                "¿Cuáles son las mejores marcas de {0}?", "¿Qué marca de {0} es la más fiable?", "¿Qué recomendarías a un amigo en {0}?",
                "¿Qué empresas lideran en {0}?", "¿En qué marcas de {0} confían los expertos?",
            ],
            BestWithPlace: ["¿Cuáles son las mejores marcas de {0} en {1}?", "¿Qué marcas de {0} son populares en {1}?"],
            UseCase: ["¿Cuál es la mejor opción en {0} para {1}?", "¿Qué marca de {0} conviene para {1}?", "Recomienda algo de {0} para {1}."],
            Problem: ["Busco algo de {0} sin {1}. ¿Qué elijo?", "¿Qué marcas de {0} evitan {1}?"],
            Price: ["¿Cuál es la mejor relación calidad-precio en {0}?", "¿Qué marcas económicas de {0} son realmente buenas?", "¿Vale la pena pagar más en {0}?"],
            PriceWithAudience: ["¿Cuál es una opción económica en {0} para {1}?", "¿Cuánto conviene gastar en {0} para {1}, y en qué marca?"],
            Feature: ["¿Qué marcas de {0} son mejores en {1}?", "Lo que más me importa es {1}. ¿Qué compro en {0}?"],
            Local: ["¿Dónde comprar {0} en {1} y de qué marca?", "¿Qué marca de {0} tiene el mejor servicio en {1}?"],
            Versus: ["¿{0} o {1}: cuál es mejor?", "¿Cómo se compara {0} con {1}?", "¿Compro {0} o {1}?"],
            CompareQuality: ["Compara las principales marcas de {0} según {1}.", "¿Qué dos marcas de {0} compararías en {1}?"],
            AlternativesTo: ["¿Cuáles son buenas alternativas a {1}?", "¿Qué marcas se parecen a {1}?"],
            Instead: ["¿Qué alternativa hay a los grandes nombres de {0} para {1}?", "¿Qué marcas menos conocidas de {0} convienen para {1}?"],
            AudienceAndQuality: "¿Qué recomiendas en {0} para {1} si lo más importante es {2}?",
            AudienceAndPlace: "¿Qué marca de {0} elegirías para {1} en {2}?",
            Frames:
            [
                "Ayúdame a decidir: {0}", "{0} Nombra marcas concretas, por favor.", "He leído pruebas y aún tengo dudas. {0}", "{0} Basta una respuesta corta.",
                "Un amigo me preguntó: {0}", "{0} Dime también por qué.", "Quiero comprar pronto. {0}", "Pregunta rápida: {0}", "{0} Estoy abierto a cualquier marca.",
            ],
            Control: "¿Es {1} una buena marca de {0}? ¿Por qué es conocida?",
            Audiences: ["principiantes", "estudiantes", "pequeñas empresas", "familias", "profesionales", "viajeros frecuentes", "teletrabajo", "personas mayores", "uso diario", "uso ocasional", "un regalo", "equipos grandes", "aficionados", "un piso pequeño", "escuelas", "uso al aire libre", "viajes largos", "usuarios exigentes"],
            Problems: ["costes ocultos", "mal servicio", "una instalación larga", "averías frecuentes", "alto consumo", "desgaste rápido", "entregas lentas", "un uso complicado"],
            Qualities: ["fiabilidad", "durabilidad", "atención al cliente", "facilidad de uso", "garantía", "diseño", "seguridad", "rendimiento", "comodidad", "privacidad", "calidad de materiales", "consumo"],
            Places: ["España", "México", "Argentina", "Colombia", "Chile", "Perú", "Madrid", "Barcelona", "Sevilla", "Ciudad de México", "Bogotá", "Valencia"]);
    }
}

/// <summary>What a panel is about.</summary>
/// <param name="Language">Primary subtag of the locale, lower case.</param>
sealed record PanelTopic(string Language, string Topic, string Brand, IReadOnlyList<string> Competitors, IReadOnlyList<string> Features);

/// <summary>A query that still has to pass the checks of <see cref="QueryPlanner"/>.</summary>
sealed record CandidateQuery(string Text, string Category, IReadOnlyList<string>? Paraphrases = null);
