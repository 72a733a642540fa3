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

    /// <summary>The languages there is wording in.</summary>
    public static IReadOnlyList<string> Languages { get; } = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "zh"];

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
        public static bool Knows(string language) => Languages.Contains(language, StringComparer.Ordinal);

        public static Wording Of(string language) => language switch
        {
            "de" => German,
            "fr" => French,
            "es" => Spanish,
            "it" => Italian,
            "pt" => Portuguese,
            "nl" => Dutch,
            "pl" => Polish,
            "ja" => Japanese,
            "zh" => Chinese,
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

        static readonly Wording Italian = new(
            Best:
            [
                "Quali sono le migliori marche di {0}?", "Qual è la marca di {0} più affidabile in questo momento?", "Che cosa consiglieresti a un amico in fatto di {0}?",
                "Quali aziende sono leader nel settore: {0}?", "Di quali marche di {0} si fidano gli esperti?",
            ],
            BestWithPlace: ["Quali sono le migliori marche di {0} per chi compra {1}?", "Quali marche di {0} sono più diffuse {1}?"],
            UseCase: ["Qual è la scelta migliore in fatto di {0} per {1}?", "Quale marca di {0} è adatta per {1}?", "Consigliami qualcosa in fatto di {0} per {1}."],
            Problem: ["Cerco qualcosa in fatto di {0} senza {1}. Che cosa scelgo?", "Quali marche di {0} permettono di evitare {1}?"],
            Price: ["Qual è il miglior rapporto qualità-prezzo in fatto di {0}?", "Quali marche economiche di {0} sono davvero valide?", "Vale la pena spendere di più in fatto di {0}?"],
            PriceWithAudience: ["Qual è una scelta economica in fatto di {0} per {1}?", "Quanto conviene spendere in fatto di {0} per {1}, e per quale marca?"],
            Feature: ["Quali marche di {0} sono le migliori se conta soprattutto questo: {1}?", "Per me la cosa più importante è questa: {1}. Che cosa compro in fatto di {0}?"],
            Local: ["Dove conviene comprare {1} se cerco {0}, e di quale marca?", "Quale marca di {0} offre la migliore assistenza {1}?"],
            Versus: ["{0} o {1}: qual è meglio?", "Come si colloca {0} rispetto a {1}?", "Mi conviene comprare {0} o {1}?"],
            CompareQuality: ["Confronta le principali marche di {0} secondo questo criterio: {1}.", "Quali due marche di {0} confronteresti per questo aspetto: {1}?"],
            AlternativesTo: ["Quali sono buone alternative a {1}?", "Quali marche sono simili a {1}?"],
            Instead: ["Quale alternativa ai grandi nomi di {0} esiste per {1}?", "Quali marche meno note di {0} sono adatte per {1}?"],
            AudienceAndQuality: "Che cosa consigli in fatto di {0} per {1}, se conta soprattutto questo: {2}?",
            AudienceAndPlace: "Quale marca di {0} sceglieresti per {1} {2}?",
            Frames:
            [
                "Aiutami a decidere: {0}", "{0} Indica marche precise, per favore.", "Ho letto delle recensioni e sono ancora in dubbio. {0}", "{0} Basta una risposta breve.",
                "Un amico mi ha chiesto: {0}", "{0} Dimmi anche perché.", "Vorrei comprare presto. {0}", "Una domanda veloce: {0}", "{0} Sono aperto a qualsiasi marca.",
            ],
            Control: "{1} è una buona marca di {0}? Per che cosa è conosciuta?",
            Audiences: ["principianti", "studenti", "piccole imprese", "famiglie", "professionisti", "chi viaggia spesso", "chi lavora da casa", "persone anziane", "un uso quotidiano", "un uso occasionale", "un regalo", "grandi gruppi di lavoro", "appassionati", "un piccolo appartamento", "scuole", "un uso all'aperto", "lunghi viaggi", "utenti esigenti"],
            Problems: ["costi nascosti", "un'assistenza scadente", "lunghe installazioni", "guasti ripetuti", "consumi elevati", "un'usura rapida", "lunghi tempi di consegna", "un uso complicato"],
            Qualities: ["affidabilità", "durata", "assistenza clienti", "facilità d'uso", "garanzia", "design", "sicurezza", "prestazioni", "comodità", "privacy", "qualità dei materiali", "consumi"],
            Places: ["in Italia", "in Svizzera", "a Roma", "a Milano", "a Torino", "a Napoli", "a Bologna", "a Firenze", "in Sicilia", "in Veneto", "a Genova", "in una piccola città"]);

        static readonly Wording Portuguese = new(
            Best:
            [
                "Quais são as melhores marcas de {0}?", "Qual é a marca de {0} mais confiável?", "O que recomendaria a um amigo em {0}?",
                "Que empresas lideram em {0}?", "Em que marcas de {0} confiam os especialistas?",
            ],
            BestWithPlace: ["Quais são as melhores marcas de {0} para quem compra {1}?", "Que marcas de {0} são populares {1}?"],
            UseCase: ["Qual é a melhor opção em {0} para {1}?", "Que marca de {0} é indicada para {1}?", "Recomende algo em {0} para {1}."],
            Problem: ["Procuro algo em {0} sem {1}. O que devo escolher?", "Que marcas de {0} evitam {1}?"],
            Price: ["Qual é a melhor relação qualidade-preço em {0}?", "Que marcas baratas de {0} são realmente boas?", "Vale a pena pagar mais em {0}?"],
            PriceWithAudience: ["Qual é uma opção barata em {0} para {1}?", "Quanto convém gastar em {0} para {1}, e em que marca?"],
            Feature: ["Que marcas de {0} são melhores em {1}?", "O mais importante para mim é {1}. O que devo comprar em {0}?"],
            Local: ["Onde comprar {0} {1} e de que marca?", "Que marca de {0} tem a melhor assistência {1}?"],
            Versus: ["{0} ou {1}: qual é melhor?", "Como {0} se compara com {1}?", "Devo comprar {0} ou {1}?"],
            CompareQuality: ["Compare as principais marcas de {0} quanto a {1}.", "Que duas marcas de {0} compararia quanto a {1}?"],
            AlternativesTo: ["Quais são boas alternativas a {1}?", "Que marcas são parecidas com {1}?"],
            Instead: ["Que alternativa existe aos grandes nomes de {0} para {1}?", "Que marcas menos conhecidas de {0} são indicadas para {1}?"],
            AudienceAndQuality: "O que recomenda em {0} para {1} se o mais importante for {2}?",
            AudienceAndPlace: "Que marca de {0} escolheria para {1} {2}?",
            Frames:
            [
                "Ajude-me a decidir: {0}", "{0} Indique marcas concretas, por favor.", "Li várias avaliações e ainda tenho dúvidas. {0}", "{0} Basta uma resposta curta.",
                "Um amigo perguntou-me: {0}", "{0} Diga também porquê.", "Quero comprar em breve. {0}", "Uma pergunta rápida: {0}", "{0} Aceito qualquer marca.",
            ],
            Control: "{1} é uma boa marca de {0}? Pelo que é conhecida?",
            Audiences: ["principiantes", "estudantes", "pequenas empresas", "famílias", "profissionais", "quem viaja muito", "quem trabalha em casa", "pessoas idosas", "uso diário", "uso ocasional", "um presente", "equipas grandes", "entusiastas", "um apartamento pequeno", "escolas", "uso ao ar livre", "viagens longas", "utilizadores exigentes"],
            Problems: ["custos escondidos", "mau atendimento", "uma instalação demorada", "avarias frequentes", "consumo elevado", "desgaste rápido", "entregas lentas", "um uso complicado"],
            Qualities: ["fiabilidade", "durabilidade", "apoio ao cliente", "facilidade de uso", "garantia", "design", "segurança", "desempenho", "conforto", "privacidade", "qualidade dos materiais", "consumo"],
            Places: ["em Portugal", "no Brasil", "em Lisboa", "no Porto", "em São Paulo", "no Rio de Janeiro", "em Brasília", "em Belo Horizonte", "em Curitiba", "em Salvador", "em Coimbra", "numa cidade pequena"]);

        static readonly Wording Dutch = new(
            Best:
            [
                "Wat zijn de beste merken op het gebied van {0}?", "Welk merk is op het gebied van {0} nu het betrouwbaarst?", "Wat zou je een vriend aanraden op het gebied van {0}?",
                "Welke bedrijven lopen voorop op het gebied van {0}?", "Op welke merken vertrouwen deskundigen als het om {0} gaat?",
            ],
            BestWithPlace: ["Wat zijn in {1} de beste merken op het gebied van {0}?", "Welke merken op het gebied van {0} zijn populair in {1}?"],
            UseCase: ["Wat is op het gebied van {0} de beste keuze voor {1}?", "Welk merk past op het gebied van {0} bij {1}?", "Raad iets aan op het gebied van {0} voor {1}."],
            Problem: ["Ik zoek iets op het gebied van {0} zonder {1}. Wat moet ik nemen?", "Welke merken op het gebied van {0} staan bekend als keuze zonder {1}?"],
            Price: ["Wat biedt op het gebied van {0} de meeste waar voor je geld?", "Welke goedkope merken op het gebied van {0} zijn echt goed?", "Loont het om meer uit te geven als het om {0} gaat?"],
            PriceWithAudience: ["Wat is op het gebied van {0} een goedkope keuze voor {1}?", "Hoeveel kun je op het gebied van {0} het best uitgeven voor {1}, en aan welk merk?"],
            Feature: ["Welke merken op het gebied van {0} zijn het best als het om {1} gaat?", "Voor mij telt {1} het meest. Wat moet ik kopen op het gebied van {0}?"],
            Local: ["Waar koop je in {1} iets goeds op het gebied van {0}, en van welk merk?", "Welk merk op het gebied van {0} heeft in {1} de beste service?"],
            Versus: ["{0} of {1}: wat is beter?", "Hoe doet {0} het vergeleken met {1}?", "Kan ik beter {0} of {1} kopen?"],
            CompareQuality: ["Vergelijk de toonaangevende merken op het gebied van {0} op {1}.", "Welke twee merken op het gebied van {0} zou je op {1} vergelijken?"],
            AlternativesTo: ["Wat zijn goede alternatieven voor {1}?", "Welke merken lijken op {1}?"],
            Instead: ["Wat is op het gebied van {0} een alternatief voor de grote namen voor {1}?", "Welke minder bekende merken op het gebied van {0} passen bij {1}?"],
            AudienceAndQuality: "Wat raad je op het gebied van {0} aan voor {1} als {2} het belangrijkst is?",
            AudienceAndPlace: "Welk merk op het gebied van {0} zou je kiezen voor {1} in {2}?",
            Frames:
            [
                "Help me kiezen: {0}", "{0} Noem alsjeblieft concrete merken.", "Ik heb tests gelezen en twijfel nog. {0}", "{0} Een kort antwoord is genoeg.",
                "Een vriend vroeg me dit: {0}", "{0} Vertel me ook waarom.", "Ik wil binnenkort kopen. {0}", "Korte vraag: {0}", "{0} Ik sta open voor elk merk.",
            ],
            Control: "Is {1} een goed merk op het gebied van {0}? Waar staat het om bekend?",
            Audiences: ["beginners", "studenten", "kleine bedrijven", "gezinnen", "professionals", "mensen die veel reizen", "mensen die thuiswerken", "ouderen", "dagelijks gebruik", "incidenteel gebruik", "een cadeau", "grote teams", "liefhebbers", "een klein appartement", "scholen", "gebruik buitenshuis", "lange reizen", "veeleisende gebruikers"],
            Problems: ["verborgen kosten", "slechte service", "een lange installatie", "steeds nieuwe storingen", "een hoog verbruik", "snelle slijtage", "lange levertijden", "een moeilijke bediening"],
            Qualities: ["betrouwbaarheid", "duurzaamheid", "klantenservice", "gebruiksgemak", "garantie", "design", "veiligheid", "prestaties", "comfort", "privacy", "kwaliteit van het materiaal", "energieverbruik"],
            Places: ["Nederland", "België", "Vlaanderen", "Amsterdam", "Rotterdam", "Utrecht", "Den Haag", "Eindhoven", "Groningen", "Antwerpen", "Gent", "een kleine stad"]);

        static readonly Wording Polish = new(
            Best:
            [
                "Jakie marki są najlepsze w kategorii {0}?", "Która marka w kategorii {0} jest teraz najbardziej niezawodna?", "Co w kategorii {0} można polecić znajomym?",
                "Jakie firmy przodują w kategorii {0}?", "Którym markom w kategorii {0} ufają eksperci?",
            ],
            BestWithPlace: ["Jakie marki w kategorii {0} są najlepsze {1}?", "Jakie marki w kategorii {0} są popularne {1}?"],
            UseCase: ["Co w kategorii {0} będzie najlepszym wyborem dla {1}?", "Jaka marka w kategorii {0} będzie odpowiednia dla {1}?", "Proszę polecić coś w kategorii {0} dla {1}."],
            Problem: ["Szukam czegoś w kategorii {0} bez {1}. Co wybrać?", "Jakie marki w kategorii {0} kupuje się bez {1}?"],
            Price: ["Co w kategorii {0} ma najlepszy stosunek jakości do ceny?", "Które niedrogie marki w kategorii {0} są naprawdę dobre?", "Czy w kategorii {0} warto dopłacić do droższej marki?"],
            PriceWithAudience: ["Co w kategorii {0} będzie niedrogim wyborem dla {1}?", "Ile warto wydać w kategorii {0} na coś dla {1} i na jaką markę?"],
            Feature: ["Które marki w kategorii {0} są najlepsze, jeśli liczy się przede wszystkim {1}?", "Najważniejsze jest dla mnie to: {1}. Co kupić w kategorii {0}?"],
            Local: ["Gdzie {1} kupić coś dobrego w kategorii {0} i jakiej marki?", "Która marka w kategorii {0} ma {1} najlepszy serwis?"],
            Versus: ["{0} czy {1}: co jest lepsze?", "Jak {0} wypada na tle konkurencji takiej jak {1}?", "Co lepiej kupić: {0} czy {1}?"],
            CompareQuality: ["Proszę porównać czołowe marki w kategorii {0} według kryterium: {1}.", "Które dwie marki w kategorii {0} warto porównać, jeśli liczy się {1}?"],
            AlternativesTo: ["Jakie są dobre alternatywy dla marki {1}?", "Jakie marki są podobne do marki {1}?"],
            Instead: ["Co w kategorii {0} zamiast znanych marek będzie dobre dla {1}?", "Jakie mniej znane marki w kategorii {0} będą odpowiednie dla {1}?"],
            AudienceAndQuality: "Co polecić w kategorii {0} dla {1}, jeśli liczy się przede wszystkim {2}?",
            AudienceAndPlace: "Jaką markę w kategorii {0} wybrać {2} dla {1}?",
            Frames:
            [
                "Proszę o pomoc w wyborze. {0}", "{0} Proszę podać konkretne marki.", "Po lekturze testów nadal mam wątpliwości. {0}", "{0} Wystarczy krótka odpowiedź.",
                "Ktoś zadał mi takie pytanie: {0}", "{0} Proszę też napisać, dlaczego.", "Planuję wkrótce zakup. {0}", "Krótkie pytanie: {0}", "{0} Każda marka wchodzi w grę.",
            ],
            Control: "Czy {1} to dobra marka w kategorii {0}? Z czego jest znana?",
            Audiences: ["początkujących", "studentów", "małych firm", "rodzin", "profesjonalistów", "osób często podróżujących", "osób pracujących w domu", "seniorów", "osób z małym mieszkaniem", "osób z małym budżetem", "dużych zespołów", "pasjonatów", "szkół", "osób dojeżdżających do pracy", "wymagających użytkowników", "osób ceniących prostotę", "osób aktywnych na świeżym powietrzu", "osób kupujących po raz pierwszy"],
            Problems: ["ukrytych kosztów", "słabej obsługi", "długiej instalacji", "ciągłych awarii", "wysokiego zużycia energii", "szybkiego zużywania się", "długich terminów dostawy", "skomplikowanej obsługi"],
            Qualities: ["niezawodność", "trwałość", "obsługa klienta", "łatwość użycia", "gwarancja", "wygląd", "bezpieczeństwo", "wydajność", "wygoda", "prywatność", "jakość wykonania", "niskie zużycie energii"],
            Places: ["w Polsce", "w Warszawie", "w Krakowie", "we Wrocławiu", "w Poznaniu", "w Gdańsku", "w Łodzi", "w Katowicach", "w Lublinie", "w Szczecinie", "na Śląsku", "w małym mieście"]);

        static readonly Wording Japanese = new(
            Best:
            [
                "{0}でいちばんおすすめのブランドはどれですか？", "{0}で今もっとも信頼できるブランドはどこですか？", "{0}で友人にすすめるなら何ですか？",
                "{0}をリードしている会社はどこですか？", "{0}で専門家が信頼しているブランドはどこですか？",
            ],
            BestWithPlace: ["{1}で買うなら、{0}でおすすめのブランドはどれですか？", "{1}で人気がある{0}のブランドはどれですか？"],
            UseCase: ["{1}には、{0}でどれがいちばんよいですか？", "{1}に合う{0}のブランドはどれですか？", "{1}に向いている{0}を教えてください。"],
            Problem: ["{0}を探していますが、{1}のは避けたいです。何を選べばよいですか？", "{1}という不満が少ない{0}のブランドはどれですか？"],
            Price: ["{0}でコストパフォーマンスがいちばんよいのはどれですか？", "手ごろな価格で本当に品質がよい{0}のブランドはどれですか？", "{0}は高いものを買う価値がありますか？"],
            PriceWithAudience: ["{1}に向いた手ごろな{0}はどれですか？", "{1}には{0}にいくらかけて、どのブランドを選べばよいですか？"],
            Feature: ["{1}を重視するなら、{0}ではどのブランドがよいですか？", "いちばん大切なのは{1}です。{0}では何を買えばよいですか？"],
            Local: ["{1}で{0}を買うならどこで、どのブランドがよいですか？", "{1}でサポートがいちばんよい{0}のブランドはどこですか？"],
            Versus: ["{0}と{1}ではどちらがよいですか？", "{0}は{1}と比べてどうですか？", "{0}と{1}、どちらを買うべきですか？"],
            CompareQuality: ["{0}の主なブランドを{1}で比較してください。", "{1}で比べるなら、{0}ではどの二つのブランドを挙げますか？"],
            AlternativesTo: ["{1}の代わりになるよい選択肢は何ですか？", "{1}に似たブランドはどれですか？"],
            Instead: ["{1}に合う、有名ブランド以外の{0}はありますか？", "あまり知られていない{0}のブランドで、{1}に合うのはどれですか？"],
            AudienceAndQuality: "{2}をもっとも重視する場合、{1}におすすめの{0}は何ですか？",
            AudienceAndPlace: "{2}で{1}に{0}を選ぶなら、どのブランドにしますか？",
            Frames:
            [
                "選ぶのを手伝ってください。{0}", "{0}具体的なブランド名を挙げてください。", "レビューを読みましたが、まだ迷っています。{0}", "{0}短い答えで十分です。",
                "友人にこう聞かれました。{0}", "{0}理由も教えてください。", "近いうちに買うつもりです。{0}", "簡単な質問です。{0}", "{0}ブランドにはこだわりません。",
            ],
            Control: "{1}は{0}のよいブランドですか？何で知られていますか？",
            Audiences: ["初心者", "学生", "小さな会社", "家族", "プロ", "出張が多い人", "在宅勤務の人", "高齢者", "初めて買う人", "毎日使う人", "たまに使う人", "贈り物", "大人数のチーム", "愛好家", "一人暮らしの人", "学校", "屋外で使う人", "こだわりのある人"],
            Problems: ["すぐに壊れる", "隠れた費用がかかる", "サポートが悪い", "設定に時間がかかる", "電気代がかかる", "使い方が難しい", "届くのが遅い", "すぐに古くなる"],
            Qualities: ["信頼性", "耐久性", "サポート", "使いやすさ", "保証", "デザイン", "安全性", "性能", "快適さ", "プライバシー", "素材の質", "省エネ性"],
            Places: ["日本", "東京", "大阪", "名古屋", "福岡", "札幌", "京都", "横浜", "神戸", "仙台", "広島", "地方の小さな町"]);

        static readonly Wording Chinese = new(
            Best:
            [
                "{0}有哪些最好的品牌？", "目前{0}哪个品牌最可靠？", "如果向朋友推荐{0}，你会推荐什么？",
                "哪些公司在{0}领域领先？", "专家信任哪些{0}品牌？",
            ],
            BestWithPlace: ["在{1}购买{0}，哪些品牌最好？", "哪些{0}品牌在{1}很受欢迎？"],
            UseCase: ["对{1}来说，{0}选什么最好？", "哪个{0}品牌适合{1}？", "请推荐适合{1}的{0}。"],
            Problem: ["我想买{0}，但不希望{1}，应该选什么？", "哪些{0}品牌不容易{1}？"],
            Price: ["{0}哪个品牌性价比最高？", "哪些价格实惠的{0}品牌真的不错？", "{0}值得多花钱买高端品牌吗？"],
            PriceWithAudience: ["对{1}来说，{0}有什么实惠的选择？", "{1}买{0}应该花多少钱，选哪个品牌？"],
            Feature: ["如果看重{1}，{0}哪些品牌最好？", "我最看重{1}，{0}应该买哪个？"],
            Local: ["在{1}哪里能买到好的{0}，选什么品牌？", "哪个{0}品牌在{1}的售后服务最好？"],
            Versus: ["{0}和{1}哪个更好？", "{0}与{1}相比怎么样？", "应该买{0}还是{1}？"],
            CompareQuality: ["请从{1}方面比较{0}的主要品牌。", "从{1}来看，{0}里你会比较哪两个品牌？"],
            AlternativesTo: ["{1}有哪些好的替代品？", "哪些品牌和{1}类似？"],
            Instead: ["除了知名大品牌，{0}还有什么适合{1}的选择？", "哪些不太知名的{0}品牌适合{1}？"],
            AudienceAndQuality: "如果最看重{2}，你会推荐{1}选什么{0}？",
            AudienceAndPlace: "在{2}为{1}选{0}，你会选哪个品牌？",
            Frames:
            [
                "请帮我做决定：{0}", "{0}请列出具体的品牌。", "我看了很多评测，还是拿不定主意。{0}", "{0}简短回答即可。",
                "朋友问了我这个问题：{0}", "{0}也请说明原因。", "我打算近期购买。{0}", "简单问一下：{0}", "{0}任何品牌都可以考虑。",
            ],
            Control: "{1}是好的{0}品牌吗？它以什么闻名？",
            Audiences: ["初学者", "学生", "小企业", "家庭", "专业人士", "经常出差的人", "在家办公的人", "老年人", "第一次购买的人", "每天使用的人", "偶尔使用的人", "想送礼的人", "大型团队", "爱好者", "租房的人", "学校", "户外使用的人", "要求高的用户"],
            Problems: ["用一年就坏", "产生隐性费用", "遇到糟糕的客服", "花很长时间安装", "耗电太多", "操作复杂", "等很久才到货", "很快过时"],
            Qualities: ["可靠性", "耐用性", "售后服务", "易用性", "保修", "设计", "安全性", "性能", "舒适度", "隐私保护", "材料质量", "能耗"],
            Places: ["中国", "北京", "上海", "广州", "深圳", "成都", "杭州", "武汉", "西安", "香港", "台湾", "小城市"]);
    }
}

/// <summary>What a panel is about.</summary>
/// <param name="Language">Primary subtag of the locale, lower case.</param>
sealed record PanelTopic(string Language, string Topic, string Brand, IReadOnlyList<string> Competitors, IReadOnlyList<string> Features);

/// <summary>A query that still has to pass the checks of <see cref="QueryPlanner"/>.</summary>
sealed record CandidateQuery(string Text, string Category, IReadOnlyList<string>? Paraphrases = null);
