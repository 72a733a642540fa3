using System.Net;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Engines.Providers;

namespace Assay.LlmGateway.Tests.Engines;

public class When_engines_are_configured
{
    static readonly (string, string?)[] Paid = [("e:Kind", "openai"), ("e:BaseUrl", "http://127.0.0.1:1"), ("e:Model", "m"), ("e:InputUsdPerMTok", "2.5"), ("e:OutputUsdPerMTok", "10")];

    [Fact]
    public void Should_take_every_setting()
    {
        var engine = Configured.Catalog([.. Paid, ("e:RequestUsd", "0.005"), ("e:SearchUsd", "0.01"), ("e:MaxOutputTokens", "900"), ("e:MaxConcurrency", "3"), ("e:RequestsPerMinute", "60"),
            ("e:TokensPerMinute", "90000"), ("e:Timeout", "00:00:30"), ("e:MaxTries", "5"), ("e:InvalidRetries", "0")]).Find("E")!;

        (engine.Name, engine.Kind, engine.Model, engine.Simulated).ShouldBe(("e", "openai", "m", false));
        (engine.MaxOutputTokens, engine.MaxConcurrency, engine.RequestsPerMinute, engine.TokensPerMinute, engine.Timeout, engine.MaxTries, engine.InvalidRetries)
            .ShouldBe((900, 3, 60, 90000, TimeSpan.FromSeconds(30), 5, 0));
        engine.Prices.ShouldBe(new EnginePrices { InputUsdPerMTok = 2.5m, OutputUsdPerMTok = 10m, RequestUsd = 0.005m, SearchUsd = 0.01m });
    }

    [Theory]
    [InlineData("Kind", "chatgpt", "Engines:e:Kind is 'chatgpt', not one of openai, anthropic, gemini, scripted, replay")]
    [InlineData("Kind", null, "Engines:e:Kind is missing")]
    [InlineData("Model", null, "Engines:e:Model is missing")]
    [InlineData("InputUsdPerMTok", null, "Engines:e:InputUsdPerMTok is not set, and the price of 'm' at 127.0.0.1 is not known: an unknown price is not free")]
    [InlineData("OutputUsdPerMTok", "-1", "Engines:e:OutputUsdPerMTok is '-1'")]
    [InlineData("InputUsdPerMTok", "2,5 USD", "Engines:e:InputUsdPerMTok is '2,5 USD'")]
    [InlineData("Timeout", "60", "Engines:e:Timeout is '60', not a duration")]
    [InlineData("Timeout", "02:00:00", "Engines:e:Timeout is '02:00:00', not a duration")]
    [InlineData("MaxTries", "0", "Engines:e:MaxTries is '0'")]
    [InlineData("MaxOutputTokens", "many", "Engines:e:MaxOutputTokens is 'many'")]
    [InlineData("Search", "yes", "Engines:e:Search is 'yes', neither true nor false")]
    [InlineData("MaxOutputToken", "5", "Engines:e:MaxOutputToken is no setting of an engine")]
    [InlineData("NotBilledStatuses", "500,200", "Engines:e:NotBilledStatuses names '200'")]
    [InlineData("BaseUrl", "api.example.org", "Engines:e:BaseUrl is no absolute address")]
    [InlineData("BaseUrl", "ftp://api.example.org", "Engines:e:BaseUrl must begin with https://")]
    [InlineData("BaseUrl", "http://api.example.org", "the key travels in the clear")]
    [InlineData("BaseUrl", "https://user:secret@api.example.org", "Engines:e:BaseUrl must not hold a user name or password")]
    [InlineData("BaseUrl", "https://10.1.2.3/v1", "Engines:e:BaseUrl is an address of a private network; set AllowPrivateNetwork")]
    [InlineData("BaseUrl", "https://169.254.169.254/", "Engines:e:BaseUrl is an address of a private network")]
    [InlineData("BaseUrl", "https://[fd00::1]/", "Engines:e:BaseUrl is an address of a private network")]
    [InlineData("BaseUrl", "https://api.openai.com/v1", "Engines:e:ApiKey is missing")]
    [InlineData("ApiKeyFile", "/no/such/file", "Engines:e:ApiKeyFile is '/no/such/file', which cannot be read")]
    public void Should_refuse_what_cannot_be_used_and_name_the_setting(string setting, string? value, string expected)
    {
        var settings = Paid.Where(pair => pair.Item1 != "e:" + setting).Append(("e:" + setting, value)).ToArray();

        Should.Throw<EngineSettingsException>(() => Configured.Catalog(settings)).Message.ShouldContain(expected);
    }

    [Fact]
    public void Should_name_all_problems_at_once()
    {
        var refused = Should.Throw<EngineSettingsException>(() => Configured.Catalog(("a:Kind", "replay"), ("b:Kind", "openai"), ("c:MaxTries", "x")));

        refused.Problems.Count.ShouldBeGreaterThanOrEqualTo(4);
        refused.Message.ShouldContain("Engines:a:Path is missing");
        refused.Message.ShouldContain("Engines:b:Model is missing");
        refused.Message.ShouldContain("Engines:c:Kind is missing");
    }

    [Theory]
    [InlineData("planted secret")]
    [InlineData("planted\nsecret")]
    [InlineData("plantedé")]
    public void Should_never_quote_a_key(string key)
    {
        var refused = Should.Throw<EngineSettingsException>(() => Configured.Catalog([.. Paid, ("e:ApiKey", key)]));

        refused.ToString().ShouldNotContain("planted");
        refused.Message.ShouldContain("Engines:e:ApiKey holds characters");
    }

    [Fact]
    public async Task Should_read_a_key_from_a_file()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, "file-key\n");
            Configured.Catalog([.. Paid, ("e:ApiKeyFile", path)]).Find("e").ShouldNotBeNull();
            Should.Throw<EngineSettingsException>(() => Configured.Catalog([.. Paid, ("e:ApiKeyFile", path), ("e:ApiKey", "k")])).Message.ShouldContain("Keep one of them");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("chatgpt", "openai", "gpt-4o-mini", 0.15, 0.60)]
    [InlineData("claude", "anthropic", "claude-haiku-4-5", 1, 5)]
    [InlineData("gemini", "gemini", "gemini-2.5-flash", 0.30, 2.50)]
    [InlineData("perplexity", "openai", "sonar", 1, 1)]
    public void Should_turn_a_known_name_into_the_real_engine_with_a_key_alone(string name, string kind, string model, double input, double output)
    {
        var real = Configured.Catalog(($"{name}:ApiKey", "k")).Find(name)!;
        var simulated = Configured.Catalog(($"{name}:Kind", "")).Find(name)!;

        (real.Kind, real.Model, real.Simulated, real.Prices.InputUsdPerMTok, real.Prices.OutputUsdPerMTok).ShouldBe((kind, model, false, (decimal)input, (decimal)output));
        (simulated.Kind, simulated.Simulated, simulated.Prices).ShouldBe(("scripted", true, EnginePrices.Free));
    }

    [Theory]
    [InlineData("gpt-4o", true)]
    [InlineData("gpt-4o-2024-11-20", true)]
    [InlineData("claude-unknown", false)]
    [InlineData("gpt-4o-audio", false)]
    [InlineData("gpt-4", false)]
    public void Should_price_dated_names_by_their_family_and_guess_nothing(string model, bool known) =>
        (PriceTable.Find("openai", "api.openai.com", model, search: false) is not null).ShouldBe(known);

    [Fact]
    public void Should_not_take_a_list_price_for_another_seller()
    {
        PriceTable.Find("openai", "openrouter.ai", "gpt-4o", search: false).ShouldBeNull();
        PriceTable.Find("gemini", "generativelanguage.googleapis.com", "gemini-2.5-flash", search: true)!.SearchUsd.ShouldBe(0.035m);
        PriceTable.Find("gemini", "generativelanguage.googleapis.com", "gemini-2.5-flash", search: false)!.SearchUsd.ShouldBe(0);
    }

    [Fact]
    public void Should_take_the_latest_listed_price_whose_day_has_come()
    {
        (string, string?)[] settings =
        [
            ("Engines:e:Kind", "openai"), ("Engines:e:BaseUrl", "http://127.0.0.1:1"), ("Engines:e:Model", "m"),
            ("Prices:0:Model", "M"), ("Prices:0:EffectiveFrom", "2020-01-01"), ("Prices:0:InputUsdPerMTok", "1"), ("Prices:0:OutputUsdPerMTok", "2"), ("Prices:0:SearchUsd", "0.01"),
            ("Prices:1:Model", "m"), ("Prices:1:EffectiveFrom", "2021-01-01"), ("Prices:1:InputUsdPerMTok", "3"), ("Prices:1:OutputUsdPerMTok", "4"),
            ("Prices:2:Model", "m"), ("Prices:2:EffectiveFrom", "2999-01-01"), ("Prices:2:InputUsdPerMTok", "5"), ("Prices:2:OutputUsdPerMTok", "6"),
            ("Prices:3:Model", "m"), ("Prices:3:Host", "elsewhere.example"), ("Prices:3:EffectiveFrom", "2022-01-01"), ("Prices:3:InputUsdPerMTok", "7"), ("Prices:3:OutputUsdPerMTok", "8"),
        ];

        var listed = Configured.Build(settings).Find("e")!;
        var own = Configured.Build([.. settings, ("Engines:e:InputUsdPerMTok", "9"), ("Engines:e:OutputUsdPerMTok", "10")]).Find("e")!;

        (listed.Prices, listed.PricesFrom).ShouldBe((new EnginePrices { InputUsdPerMTok = 3, OutputUsdPerMTok = 4 }, new DateOnly(2021, 1, 1)));
        (own.Prices, own.PricesFrom).ShouldBe((new EnginePrices { InputUsdPerMTok = 9, OutputUsdPerMTok = 10 }, null));
    }

    [Theory]
    [InlineData("Prices:0:EffectiveFrom", "31.01.2026", "Prices:0:EffectiveFrom is '31.01.2026', not a day")]
    [InlineData("Prices:0:EffectiveFrom", null, "Prices:0:EffectiveFrom is missing")]
    [InlineData("Prices:0:InputUsdPerMTok", null, "Prices:0:InputUsdPerMTok is missing: an unknown price is not free")]
    [InlineData("Prices:0:Model", null, "Prices:0:Model is missing")]
    [InlineData("Prices:0:Input", "1", "Prices:0:Input is no setting of a price")]
    public void Should_refuse_a_list_of_prices_that_cannot_be_used(string key, string? value, string expected)
    {
        (string Key, string? Value)[] settings = [("Prices:0:Model", "m"), ("Prices:0:EffectiveFrom", "2020-01-01"), ("Prices:0:InputUsdPerMTok", "1"), ("Prices:0:OutputUsdPerMTok", "2")];

        Should.Throw<EngineSettingsException>(() => Configured.Build([.. settings.Where(pair => pair.Key != key), (key, value)])).Message.ShouldContain(expected);
    }

    [Fact]
    public void Should_pin_what_changes_the_answers_and_nothing_else()
    {
        var hash = Configured.Catalog(Paid).Find("e")!.ParametersHash;

        Configured.Catalog([.. Paid, ("e:MaxTries", "7"), ("e:Timeout", "00:00:09"), ("e:ApiKey", "k")]).Find("e")!.ParametersHash.ShouldBe(hash);
        Configured.Catalog([.. Paid, ("e:Temperature", "0.2")]).Find("e")!.ParametersHash.ShouldNotBe(hash);
        Configured.Catalog([.. Paid, ("e:MaxOutputTokens", "99")]).Find("e")!.ParametersHash.ShouldNotBe(hash);
        Configured.Catalog([.. Paid.Where(pair => pair.Item1 != "e:BaseUrl"), ("e:BaseUrl", "http://127.0.0.1:2")]).Find("e")!.ParametersHash.ShouldNotBe(hash);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1")]
    [InlineData("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1")]
    [InlineData("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1")]
    [InlineData("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1")]
    [InlineData("http://127.0.0.1:8080/v1/chat/completions", "http://127.0.0.1:8080/v1")]
    [InlineData("https://openrouter.ai/api", "https://openrouter.ai/api/v1")]
    [InlineData("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1")]
    [InlineData("https://api.perplexity.ai", "https://api.perplexity.ai/")]
    [InlineData("https://generativelanguage.googleapis.com/v1beta/openai", "https://generativelanguage.googleapis.com/v1beta/openai")]
    public void Should_find_the_endpoint_with_or_without_its_version(string baseUrl, string endpoint) =>
        OpenAIFormat.Endpoint(new Uri(baseUrl)).AbsoluteUri.ShouldBe(endpoint);

    [Theory]
    [InlineData("8.8.8.8", false, true)]
    [InlineData("10.0.0.1", false, false)]
    [InlineData("10.0.0.1", true, true)]
    [InlineData("127.0.0.1", true, false)]
    [InlineData("169.254.169.254", true, false)]
    public void Should_connect_a_public_name_to_public_addresses_only(string address, bool privateNetwork, bool allowed) =>
        EngineAddress.IsAllowed(IPAddress.Parse(address), loopbackHost: false, privateNetwork).ShouldBe(allowed);

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("10.0.0.1", false)]
    [InlineData("8.8.8.8", false)]
    public void Should_connect_localhost_to_this_machine_only(string address, bool allowed) =>
        EngineAddress.IsAllowed(IPAddress.Parse(address), loopbackHost: true, privateNetwork: true).ShouldBe(allowed);
}

public class When_a_call_is_priced
{
    [Theory]
    [InlineData(1, 1, 13)]
    [InlineData(0, 0, 0)]
    [InlineData(3, 0, 8)]
    [InlineData(1_000_000, 1_000_000, 12_500_000)]
    public void Should_round_up_once_per_call(int input, int output, long expected) =>
        new EnginePrices { InputUsdPerMTok = 2.5m, OutputUsdPerMTok = 10m }.ActualMicroUsd(input, output, searchUsed: false).ShouldBe(expected);

    [Fact]
    public void Should_count_request_and_search_and_a_search_that_nobody_denied()
    {
        var prices = new EnginePrices { RequestUsd = 0.005m, SearchUsd = 0.01m };

        prices.ActualMicroUsd(null, null, searchUsed: false).ShouldBe(5_000);
        prices.ActualMicroUsd(null, null, searchUsed: true).ShouldBe(15_000);
        prices.ActualMicroUsd(null, null, searchUsed: null).ShouldBe(15_000);
        prices.WorstCaseMicroUsd(100, 100).ShouldBe(15_000);
    }

    [Fact]
    public void Should_not_price_what_was_not_counted()
    {
        var prices = new EnginePrices { OutputUsdPerMTok = 1 };

        prices.CanPrice(inputTokens: null, outputTokens: 5).ShouldBeTrue();
        prices.CanPrice(inputTokens: 5, outputTokens: null).ShouldBeFalse();
        Should.Throw<ArgumentNullException>(() => prices.ActualMicroUsd(5, null, null));
    }

    [Fact]
    public void Should_bound_every_price_by_the_worst_case()
    {
        var prices = new EnginePrices { InputUsdPerMTok = 0.15m, OutputUsdPerMTok = 0.6m, RequestUsd = 0.0000001m };
        for (var bytes = 0; bytes < 2000; bytes += 7)
            prices.ActualMicroUsd(bytes, bytes / 2, null).ShouldBeLessThanOrEqualTo(prices.WorstCaseMicroUsd(bytes, bytes / 2));
    }
}
