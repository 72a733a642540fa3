using System.Text;
using Assay.Dashboard.Api;

namespace Assay.Dashboard.Tests.Api;

public sealed class ARequestBody
{
    static readonly Guid Id = Guid.CreateVersion7();

    static ReadRequest Read(string json) => RequestBody.Read(Encoding.UTF8.GetBytes(json), Id, "tests");

    [Fact]
    public void Should_get_an_id_and_a_requester_when_it_names_none()
    {
        var read = Read("""{ "brand": { "name": "Anker" }, "queries": ["a b"], "engines": ["chatgpt"], "ceilingUsd": 1 }""");
        read.IsValid.ShouldBeTrue();
        read.Request!.AuditId.ShouldBe(Id);
        read.Request.RequestedBy.ShouldBe("tests");
    }

    [Fact]
    public void Should_be_told_line_and_column_of_malformed_json() =>
        Read("{\n  \"brand\": { \"name\": \"Anker\" ,, }\n}").Malformed.ShouldNotBeNull().ShouldStartWith("Line 2, column ");

    [Fact]
    public void Should_be_told_where_a_type_is_wrong()
    {
        var malformed = Read("{\n  \"ceilingUsd\": \"five\"\n}").Malformed.ShouldNotBeNull();
        malformed.ShouldContain("Line 2");
        malformed.ShouldContain("ceilingUsd");
    }

    [Theory]
    [InlineData("[]", "array")]
    [InlineData("  [1]", "array")]
    [InlineData("", "empty")]
    public void Should_be_an_object(string json, string word) => Read(json).Malformed.ShouldNotBeNull().ShouldContain(word);

    [Fact]
    public void Should_be_told_everything_that_is_missing_at_once()
    {
        var problems = Read("{}").Problems.Select(p => p.Field).ToList();
        problems.ShouldContain("brand");
        problems.ShouldContain("engines");
        problems.ShouldContain("ceilingUsd");
    }

    [Fact]
    public void Should_not_be_null() => Read("null").IsValid.ShouldBeFalse();
}

public sealed class AnIdempotencyKey
{
    [Fact]
    public void Should_be_taken_as_it_is_when_it_is_a_uuid()
    {
        var id = Guid.CreateVersion7();
        RequestBody.IdOf(id.ToString()).ShouldBe(id);
    }

    [Fact]
    public void Should_make_the_same_id_each_time() => RequestBody.IdOf("order 17").ShouldBe(RequestBody.IdOf("order 17"));

    [Fact]
    public void Should_make_different_ids_of_different_words() => RequestBody.IdOf("order 17").ShouldNotBe(RequestBody.IdOf("order 18"));

    [Fact]
    public void Should_be_new_when_missing() => RequestBody.IdOf(null).ShouldNotBe(RequestBody.IdOf(null));
}
