namespace Assay.Dashboard.Reports;

/// <summary>The pages' stylesheet, for documents that must carry it themselves.</summary>
static class Stylesheet
{
    public static string Text { get; } = Read();

    static string Read()
    {
        using var stream = typeof(Stylesheet).Assembly.GetManifestResourceStream("app.css") ?? throw new InvalidOperationException("The stylesheet is not embedded in this build.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
