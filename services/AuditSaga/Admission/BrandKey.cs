using System.Text;
using Assay.PublicSuffix;

namespace Assay.AuditSaga.Admission;

/// <summary>What makes two brands the same one for the guards.</summary>
static class BrandKey
{
    /// <summary>The registrable domain if there is one, else the name in NFKC, case-folded, with single spaces.</summary>
    public static string Of(string name, string? domain)
    {
        if (RegistrableDomain.Of(domain) is { } registrable)
            return registrable;
        // Upper, then lower: folds the letters that have several lower-case forms (ς and σ). NFKC again, since folding may denormalise.
        var folded = name.Normalize(NormalizationForm.FormKC).ToUpperInvariant().ToLowerInvariant().Normalize(NormalizationForm.FormKC);
        return string.Join(' ', folded.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}
