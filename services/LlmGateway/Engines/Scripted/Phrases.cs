namespace Assay.LlmGateway.Engines.Scripted;

/// <summary>The sentences of the simulator in one language. {0} is the subject, {1} a feature or use, {2} a brand to compare with.</summary>
internal sealed record Phrases
{
    public required string[] Intros { get; init; }
    public required string[] Best { get; init; }
    public required string[] Good { get; init; }
    public required string[] Plain { get; init; }
    public required string[] Bad { get; init; }
    public required string[] Verdicts { get; init; }
    public required string[] Closings { get; init; }
    public required string[] Refusals { get; init; }
    public required string[] Unknown { get; init; }
    public required string[] NoBrands { get; init; }
    public required string[] Versus { get; init; }
    public required string[] About { get; init; }
    public required string BestOverall { get; init; }
    public required string BestFor { get; init; }
    public required string AlsoWorth { get; init; }
    public required string Sources { get; init; }
    public required string TableHead { get; init; }
    public required string Review { get; init; }

    /// <summary>Features in this language; null where the topic's own are in it.</summary>
    public string[]? Features { get; init; }

    /// <summary>Uses in this language; null where the topic's own are in it.</summary>
    public string[]? Uses { get; init; }

    /// <summary>Questions of buyers with their categories: {0} the market, {1} a feature, {2} a use. English has its own, finer ones.</summary>
    public (string Question, string Category)[] Ask { get; init; } = [];

    public string AskComparison { get; init; } = "";

    public string AskAlternatives { get; init; } = "";

    /// <summary>Whether every noun has a capital, so that one marks no name.</summary>
    public bool CapitalNouns { get; init; }

    public static Phrases For(string locale) => locale.Split('-')[0].ToLowerInvariant() switch
    {
        "de" => German,
        "fr" => French,
        "es" => Spanish,
        _ => English,
    };

    static readonly Phrases English = new()
    {
        Intros = ["Here are some of the best {0} right now:", "There are several strong choices among {0}. These stand out:", "Based on recent reviews and owner feedback, these {0} are worth considering:", "Choosing among {0} depends on what matters to you, but a few names come up again and again.", "If you are shopping for {0}, start with this short list:"],
        Best = ["It is our top pick thanks to excellent {1}.", "The best overall choice for most people, with outstanding {1}.", "Reviewers consistently recommend it for its {1}.", "It leads this list because its {1} is the best in class."],
        Good = ["A great option if {1} matters most.", "Known for impressive {1} and good value.", "Owners praise its {1}.", "Strong {1} makes it an easy recommendation.", "It offers reliable {1} at a fair price."],
        Plain = ["It covers {1} and the usual basics.", "A common choice; {1} is about average.", "Available in several versions that differ in {1}.", "It has been on the market for a while and is widely sold."],
        Bad = ["However, {1} is disappointing for the price.", "Some owners report problems with {1}.", "It is overpriced, and {1} lags behind rivals.", "We would avoid it if {1} matters to you."],
        Verdicts = ["If I had to choose one, I would go with **{0}**.", "For most people, **{0}** is the safest choice.", "Bottom line: **{0}** offers the best balance.", "Overall, **{0}** is the one to beat."],
        Closings = ["Prices change often, so check current offers before you buy.", "Tell me your budget and how you will use it, and I can narrow this down.", "Try before you buy where you can; comfort and taste differ.", "Look for a good return policy whichever you choose."],
        Refusals = ["I'm sorry, but I can't help with that request.", "I can't provide specific product recommendations for this.", "I'm not able to answer this question."],
        Unknown = ["I couldn't find any reliable information about **{0}**. It may be very new, very small, or spelled differently.", "I'm not familiar with **{0}** and found no independent reviews of it, so I can't recommend it."],
        NoBrands = ["The right choice depends on your needs. Start with {1}, set a budget, and compare at least three models. Read recent reviews, check the warranty, and make sure that returns are easy. For {0}, paying more helps only up to a point.", "Before looking at names, decide what matters: {1}, price, or convenience. Most buyers of {0} regret ignoring {1}. A mid-range product from an established maker is usually enough."],
        Versus = ["**{0}** does better on {1}, while **{2}** is easier to live with day to day.", "On {1}, **{0}** has a clear edge over **{2}**.", "**{0}** and **{2}** are close; {1} decides."],
        About = ["**{0}** is a well-known name in this field. Its strengths are {1} and consistent quality.", "**{0}** has a solid reputation. Buyers like its {1}, and it is widely available.", "**{0}** gets mixed reviews: {1} is good, support less so."],
        BestOverall = "Best overall",
        BestFor = "Best for {0}",
        AlsoWorth = "Also worth a look: {0}.",
        Sources = "Sources",
        TableHead = "| Product | Strength | Note |",
        Review = "review",
    };

    static readonly Phrases German = new()
    {
        Intros = ["Das sind einige der besten Produkte ({0}), die es derzeit gibt:", "Im Bereich {0} gibt es mehrere gute Möglichkeiten. Diese fallen besonders auf:", "Nach aktuellen Tests und Erfahrungen von Käufern sind diese Produkte ({0}) zu empfehlen:"],
        Best = ["Es ist unsere erste Wahl, weil die Leistung hier ausgezeichnet ist ({1}).", "Für die meisten die beste Wahl, und {1} ist hervorragend.", "Wird in Tests immer wieder empfohlen; besonders gut ist {1}."],
        Good = ["Eine sehr gute Wahl, wenn {1} wichtig ist.", "Hier überzeugt {1}, und das Preis-Leistungs-Verhältnis stimmt.", "Käufer sind sehr zufrieden, und {1} ist gut.", "Zuverlässig und zu einem fairen Preis zu haben."],
        Plain = ["Es erfüllt seinen Zweck; {1} ist Durchschnitt.", "Es ist seit einiger Zeit auf dem Markt und in vielen Geschäften erhältlich."],
        Bad = ["Allerdings ist {1} für den Preis enttäuschend.", "Manche Käufer berichten von Problemen; schwach ist vor allem {1}.", "Es ist zu teuer, und {1} bleibt hinter der Konkurrenz zurück."],
        Verdicts = ["Wenn ich mich entscheiden müsste, würde ich **{0}** nehmen.", "Für die meisten ist **{0}** die sicherste Wahl.", "Insgesamt bietet **{0}** die beste Mischung."],
        Closings = ["Die Preise ändern sich oft, also vor dem Kauf die aktuellen Angebote vergleichen.", "Nenne mir dein Budget und deine Wünsche, dann kann ich die Auswahl eingrenzen.", "Achte in jedem Fall auf ein gutes Rückgaberecht."],
        Refusals = ["Es tut mir leid, aber dabei kann ich nicht helfen.", "Dazu kann ich leider keine Empfehlung geben."],
        Unknown = ["Zu **{0}** konnte ich keine verlässlichen Informationen finden. Vielleicht ist der Name anders geschrieben.", "**{0}** ist mir nicht bekannt, und ich habe keine unabhängigen Tests dazu gefunden."],
        NoBrands = ["Die richtige Wahl hängt davon ab, was dir wichtig ist. Lege zuerst ein Budget fest, überlege, wie wichtig {1} ist, und vergleiche mindestens drei Modelle. Lies aktuelle Tests und prüfe die Garantie ({0})."],
        Versus = ["Bei **{0}** ist {1} besser, während **{2}** im Alltag einfacher ist.", "**{0}** und **{2}** liegen nah beieinander; {1} entscheidet."],
        About = ["**{0}** ist ein bekannter Name in diesem Bereich. Gelobt wird vor allem eines: {1}.", "**{0}** hat gemischte Bewertungen: {1} ist gut, der Kundendienst weniger."],
        BestOverall = "Insgesamt am besten",
        BestFor = "Am besten für {0}",
        AlsoWorth = "Auch einen Blick wert: {0}.",
        Sources = "Quellen",
        TableHead = "| Produkt | Stärke | Anmerkung |",
        Review = "Test",
        Features = ["die Verarbeitung", "der Preis", "die Zuverlässigkeit", "die Bedienung", "die Ausstattung", "die Garantie"],
        Uses = ["Einsteiger", "den Alltag", "unterwegs", "Familien", "kleine Budgets", "anspruchsvolle Käufer", "zu Hause"],
        Ask =
        [
            ("Welche Marke ist im Bereich {0} am besten für {2}?", "category best"), ("Was ist bei {0} für {2} zu empfehlen, wenn {1} wichtig ist?", "use case"),
            ("Mit {1} bin ich unzufrieden: welche Alternative gibt es bei {0} für {2}?", "problem"), ("Was ist bei {0} für {2} seinen Preis wert?", "price"),
            ("Bei welchen Marken ({0}) überzeugt {1} am meisten?", "feature"), ("Wo kauft man {0} für {2} in Deutschland am besten?", "local"),
        ],
        AskComparison = "{0} oder {1}: was ist besser?",
        AskAlternatives = "Was sind gute Alternativen zu {0}?",
        CapitalNouns = true,
    };

    static readonly Phrases French = new()
    {
        Intros = ["Voici quelques-uns des meilleurs produits ({0}) du moment :", "Il existe plusieurs bons choix ({0}). Ceux-ci se distinguent :", "D'après les tests récents et les avis des acheteurs, ces produits ({0}) méritent votre attention :"],
        Best = ["C'est notre premier choix grâce à ses excellents résultats ({1}).", "Le meilleur choix pour la plupart des gens, remarquable pour {1}."],
        Good = ["Une très bonne option si {1} compte pour vous.", "Les acheteurs apprécient {1}, et le prix est juste.", "Fiable et facile à recommander."],
        Plain = ["Un choix courant ; pour {1}, il est dans la moyenne.", "Il est sur le marché depuis un certain temps et se trouve dans de nombreux magasins."],
        Bad = ["En revanche, {1} est décevant pour le prix.", "Certains acheteurs signalent des problèmes avec {1}."],
        Verdicts = ["S'il fallait en choisir un, je prendrais **{0}**.", "Pour la plupart des gens, **{0}** est le choix le plus sûr."],
        Closings = ["Les prix changent souvent : comparez les offres avant d'acheter.", "Donnez-moi votre budget et je pourrai affiner cette liste."],
        Refusals = ["Je suis désolé, mais je ne peux pas répondre à cette demande."],
        Unknown = ["Je n'ai trouvé aucune information fiable sur **{0}**. Le nom est peut-être écrit autrement."],
        NoBrands = ["Le bon choix dépend de vos besoins. Fixez d'abord un budget, regardez {1} et comparez au moins trois modèles. Lisez des tests récents et vérifiez la garantie ({0})."],
        Versus = ["**{0}** est meilleur pour {1}, tandis que **{2}** est plus simple au quotidien."],
        About = ["**{0}** est un nom connu dans ce domaine. Ses points forts sont {1} et une qualité constante."],
        BestOverall = "Le meilleur choix",
        BestFor = "Le meilleur pour {0}",
        AlsoWorth = "À voir aussi : {0}.",
        Sources = "Sources",
        TableHead = "| Produit | Point fort | Remarque |",
        Review = "test",
        Features = ["la qualité de fabrication", "le prix", "la fiabilité", "la facilité d'utilisation", "la garantie"],
        Ask =
        [
            ("Quelle est la meilleure marque ({0}) pour {2} ?", "category best"), ("Que conseillez-vous ({0}) pour {2} si {1} compte beaucoup ?", "use case"),
            ("Je suis déçu par {1} : que choisir ({0}) pour {2} ?", "problem"), ("Quel produit ({0}) vaut son prix pour {2} ?", "price"),
            ("Pour {1}, quelles marques ({0}) sont les meilleures ?", "feature"), ("Où acheter ({0}) pour {2} en France ?", "local"),
        ],
        AskComparison = "{0} ou {1} : que choisir ?",
        AskAlternatives = "Quelles sont les bonnes alternatives à {0} ?",
        Uses = ["les débutants", "le quotidien", "les voyages", "les familles", "les petits budgets", "la maison"],
    };

    static readonly Phrases Spanish = new()
    {
        Intros = ["Estos son algunos de los mejores productos ({0}) del momento:", "Hay varias buenas opciones ({0}). Estas son las que más destacan:", "Según las pruebas recientes y las opiniones de los compradores, vale la pena considerar estos productos ({0}):"],
        Best = ["Es nuestra primera elección por sus excelentes resultados ({1}).", "La mejor opción para la mayoría de las personas, sobre todo por {1}."],
        Good = ["Una muy buena opción si te importa {1}.", "Los compradores elogian {1}, y el precio es justo.", "Fiable y fácil de recomendar."],
        Plain = ["Una opción común; en {1} está en la media.", "Lleva tiempo en el mercado y se vende en muchas tiendas."],
        Bad = ["Sin embargo, {1} decepciona por el precio.", "Algunos compradores informan de problemas con {1}."],
        Verdicts = ["Si tuviera que elegir uno, me quedaría con **{0}**.", "Para la mayoría, **{0}** es la opción más segura."],
        Closings = ["Los precios cambian a menudo: compara las ofertas antes de comprar.", "Dime tu presupuesto y puedo reducir la lista."],
        Refusals = ["Lo siento, pero no puedo ayudarte con eso."],
        Unknown = ["No he encontrado información fiable sobre **{0}**. Quizá el nombre se escribe de otra forma."],
        NoBrands = ["La elección correcta depende de lo que necesites. Primero fija un presupuesto, fíjate en {1} y compara al menos tres modelos. Lee pruebas recientes y revisa la garantía ({0})."],
        Versus = ["**{0}** es mejor en {1}, mientras que **{2}** es más cómodo en el día a día."],
        About = ["**{0}** es un nombre conocido en este campo. Sus puntos fuertes son {1} y una calidad constante."],
        BestOverall = "La mejor opción",
        BestFor = "La mejor para {0}",
        AlsoWorth = "También merece la pena: {0}.",
        Sources = "Fuentes",
        TableHead = "| Producto | Punto fuerte | Nota |",
        Review = "análisis",
        Features = ["la calidad", "el precio", "la fiabilidad", "la facilidad de uso", "la garantía"],
        Ask =
        [
            ("¿Cuál es la mejor marca ({0}) para {2}?", "category best"), ("¿Qué me recomiendas ({0}) para {2} si me importa {1}?", "use case"),
            ("No me convence {1}: ¿qué compro ({0}) para {2}?", "problem"), ("¿Qué producto ({0}) vale lo que cuesta para {2}?", "price"),
            ("¿Qué marcas ({0}) destacan por {1}?", "feature"), ("¿Dónde comprar ({0}) para {2} en España?", "local"),
        ],
        AskComparison = "{0} o {1}: ¿cuál es mejor?",
        AskAlternatives = "¿Qué buenas alternativas hay a {0}?",
        Uses = ["principiantes", "el día a día", "viajes", "familias", "presupuestos pequeños", "la casa"],
    };
}
