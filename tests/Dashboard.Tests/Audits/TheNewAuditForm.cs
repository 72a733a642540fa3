using Assay.Dashboard.Audits;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Assay.Dashboard.Tests.Audits;

public sealed class TheNewAuditForm
{
    [Theory]
    [InlineData("sim, slowsim")]
    [InlineData(" sim ,slowsim,, sim")]
    [InlineData("sim", "slowsim")]
    public void Should_read_engines_from_boxes_and_from_a_line(params string[] typed) =>
        AuditForm.From(new FormCollection(new Dictionary<string, StringValues>(StringComparer.Ordinal) { ["engines"] = typed })).Engines.ShouldBe(["sim", "slowsim"]);

    [Fact]
    public void Should_have_no_engine_where_none_is_named() =>
        AuditForm.From(new FormCollection(new Dictionary<string, StringValues>(StringComparer.Ordinal) { ["engines"] = new[] { "", " , " } })).Engines.ShouldBeEmpty();
}
