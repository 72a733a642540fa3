using System.ComponentModel.DataAnnotations;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Analyzer.JudgeAnswers;

/// <summary>The language model as a second opinion (section <c>Analyzer:Judge</c>). Off by default: it costs a call per answer.</summary>
public sealed class JudgeOptions
{
    /// <summary>Whether answers that mention the brand are judged while insights are drafted.</summary>
    public bool Enabled { get; set; }

    /// <summary>At most so many answers of an audit are judged, spread evenly over the panel.</summary>
    [Range(1, BatchBounds.MaxJudged)]
    public int Answers { get; set; } = 60;
}
