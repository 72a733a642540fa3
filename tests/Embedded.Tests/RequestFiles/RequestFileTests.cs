using System.Text;
using Assay.Embedded.Cli;
using Assay.Embedded.Init;
using Assay.Embedded.RequestFiles;

namespace Assay.Embedded.Tests.RequestFiles;

public sealed class Reading_a_request_file
{
    const string Smallest = """{ "brand": { "name": "Anker" }, "queries": ["best earbuds"], "engines": ["chatgpt"], "ceilingUsd": 1 }""";

    static RequestFile.Read Parse(string json) => RequestFile.Parse(Encoding.UTF8.GetBytes(json), "request.json");

    static CommandError Refused(string json) => Should.Throw<CommandError>(() => Parse(json));

    [Fact]
    public void Should_give_a_new_id_when_none_is_written()
    {
        var first = Parse(Smallest).Request.AuditId;
        first.ShouldNotBe(Guid.Empty);
        Parse(Smallest).Request.AuditId.ShouldNotBe(first);
    }

    [Fact]
    public void Should_keep_the_id_that_is_written()
    {
        var id = Guid.NewGuid();
        Parse(Smallest.Replace("{ \"brand\"", $"{{ \"auditId\": \"{id}\", \"brand\"", StringComparison.Ordinal)).Request.AuditId.ShouldBe(id);
    }

    [Fact]
    public void Should_accept_comments_trailing_commas_a_byte_order_mark_and_nulls_for_nothing()
    {
        var read = Parse("\uFEFF// an audit\n{ \"brand\": { \"name\": \"Anker\", \"aliases\": null, }, \"competitors\": null, \"queries\": [\"q\"], \"engines\": [\"chatgpt\"], \"ceilingUsd\": 1, }");
        read.Request.Brand.Aliases.ShouldBeEmpty();
        read.Request.Competitors.ShouldBeEmpty();
        read.Warnings.ShouldBeEmpty();
    }

    [Fact]
    public void Should_warn_of_a_property_that_is_not_known()
    {
        Parse(Smallest.Replace("\"queries\"", "\"brandd\": 1, \"queries\"", StringComparison.Ordinal)).Warnings.ShouldHaveSingleItem().ShouldStartWith("brandd is not a property");
        Parse(Smallest.Replace("\"name\"", "\"alias\": \"x\", \"name\"", StringComparison.Ordinal)).Warnings.ShouldHaveSingleItem().ShouldStartWith("brand.alias is not a property");
    }

    [Theory]
    [InlineData("{\n  \"brand\": { \"name\": \"Anker\" },\n  \"queries\": [\"a\" \"b\"]\n}", "line 3, column 19")]
    [InlineData("{\n  \"brand\": \"größe\" \"x\" }", "line 2, column 20")]
    [InlineData("{ \"brand\": ", "line 1, column")]
    public void Should_name_line_and_column_of_malformed_JSON(string json, string place)
    {
        var error = Refused(json);
        error.ExitCode.ShouldBe(ExitCodes.BadInput);
        error.Text.ShouldContain(place);
        error.Text.ShouldContain("not valid JSON");
    }

    [Theory]
    [InlineData("""{ "brand": { "name": " " }, "queries": ["q"], "engines": ["chatgpt"], "ceilingUsd": 1 }""", "brand.name: is empty")]
    [InlineData("""{ "queries": ["q"], "engines": ["chatgpt"], "ceilingUsd": 1 }""", "brand: is missing")]
    [InlineData("""{ "brand": { "name": "A" }, "queries": ["q"], "engines": [], "ceilingUsd": 1 }""", "engines: are missing")]
    [InlineData("""{ "brand": { "name": "A" }, "queries": ["q"], "ceilingUsd": 1 }""", "engines: are missing")]
    [InlineData("""{ "brand": { "name": "A" }, "queries": ["q"], "engines": ["chatgpt"], "ceilingUsd": -1 }""", "ceilingUsd: is -1")]
    [InlineData("""{ "brand": { "name": "A" }, "queries": ["q"], "engines": ["chatgpt"], "ceilingUsd": 0 }""", "ceilingUsd: is 0")]
    [InlineData("""{ "brand": { "name": "A" }, "queries": ["q"], "engines": ["chatgpt"] }""", "ceilingUsd: is missing")]
    [InlineData("""{ "brand": { "name": "A" }, "engines": ["chatgpt"], "ceilingUsd": 1 }""", "queries: are missing")]
    [InlineData("""[ { "brand": { "name": "A" } } ]""", "holds a JSON array")]
    [InlineData("null", "holds null")]
    [InlineData(" \n ", "is empty")]
    [InlineData("""{ "brand": { "name": "A" }, "queries": "q", "engines": ["chatgpt"], "ceilingUsd": 1 }""", "queries has the wrong type. It is a list of texts")]
    [InlineData("""{ "brand": { "name": "A" }, "queries": ["q"], "engines": ["chatgpt"], "ceilingUsd": "5" }""", "ceilingUsd has the wrong type. It is a number in US dollars")]
    [InlineData("""{ "auditId": "mine", "brand": { "name": "A" }, "queries": ["q"], "engines": ["chatgpt"], "ceilingUsd": 5 }""", "auditId has the wrong type. It is a UUID")]
    [InlineData("""{ "brand": { "name": "A" }, "queries": ["q"], "queries": ["r"], "engines": ["chatgpt"], "ceilingUsd": 5 }""", "queries")]
    public void Should_say_what_is_wrong(string json, string expected)
    {
        var error = Refused(json);
        error.ExitCode.ShouldBe(ExitCodes.BadInput);
        error.Text.ShouldContain(expected);
    }

    [Fact]
    public void Should_tell_every_problem_at_once()
    {
        var text = Refused("""{ "brand": { "name": "" }, "engines": [], "ceilingUsd": 0 }""").Text;
        text.ShouldContain("brand.name");
        text.ShouldContain("queries");
        text.ShouldContain("engines");
        text.ShouldContain("ceilingUsd");
    }

    [Fact]
    public void Should_refuse_ten_thousand_queries()
    {
        var queries = string.Join(',', Enumerable.Range(0, 10_000).Select(i => $"\"query {i}\""));
        Refused(Smallest.Replace("\"best earbuds\"", queries, StringComparison.Ordinal)).Text.ShouldContain("queries: has 10000 entries; at most 1000");
    }

    [Fact]
    public async Task Should_name_the_missing_file_and_the_folder_it_looked_in()
    {
        var folder = Path.GetTempPath();
        var error = await Should.ThrowAsync<CommandError>(() => RequestFile.ReadAsync("no-such-request.json", folder, CancellationToken.None));
        error.ExitCode.ShouldBe(ExitCodes.BadInput);
        error.Text.ShouldContain("no-such-request.json");
        error.Text.ShouldContain(folder);
        error.Text.ShouldContain("assay init");
    }

    [Fact]
    public async Task Should_refuse_a_folder()
    {
        (await Should.ThrowAsync<CommandError>(() => RequestFile.ReadAsync(".", Path.GetTempPath(), CancellationToken.None))).Text.ShouldContain("is a folder");
    }

    [Fact]
    public async Task Should_accept_what_init_prints()
    {
        var read = Parse(await InitCommand.ReadExampleAsync(CancellationToken.None));
        read.Warnings.ShouldBeEmpty();
        read.Request.Queries!.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Should_accept_the_sample()
    {
        var read = await RequestFile.ReadAsync("samples/anker.json", Repository.Root, CancellationToken.None);
        read.Warnings.ShouldBeEmpty();
        read.Request.Brand.Aliases.ShouldBe(["Soundcore"]);
        read.Request.Queries!.Distinct(StringComparer.OrdinalIgnoreCase).Count().ShouldBe(24);
        read.Request.Engines.Count.ShouldBe(4);
    }
}
