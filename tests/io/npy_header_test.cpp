#include "io/npy_header.hpp"

#include "io/files.hpp"

namespace matgrad::io_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

NpyHeader parse(const std::string& text) {
    return parse_npy_header(std::as_bytes(std::span(text)), "X.npy");
}

NpyHeader parse_dictionary(const std::string& dictionary, int major = 1) {
    return parse(header_around(dictionary, major));
}

std::string refusal(const std::string& text) {
    const std::string message = message_of<FileError>([&] { (void)parse(text); });
    EXPECT_THAT(message, StartsWith("X.npy: "));
    return message;
}

std::string refusal_of_dictionary(const std::string& dictionary) {
    return refusal(header_around(dictionary));
}

TEST(NpyHeader, IsReadAsNumPyWritesIt) {
    const std::string dictionary =
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }       \n";
    const NpyHeader header = parse_dictionary(dictionary);
    EXPECT_EQ(header.element, (NpyElement{NpyKind::floating, 8, false}));
    EXPECT_FALSE(header.fortran_order);
    EXPECT_THAT(header.shape, ElementsAre(3, 4));
    EXPECT_EQ(header.count, 12);
    EXPECT_EQ(header.data_bytes(), 96);
    EXPECT_EQ(header.data_offset, static_cast<std::int64_t>(10 + dictionary.size()));
}

TEST(NpyHeader, IsReadInAllThreeVersions) {
    const std::string dictionary =
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 4), }\n";
    for (const int major : {1, 2, 3}) {
        const NpyHeader header = parse_dictionary(dictionary, major);
        EXPECT_EQ(header.element, (NpyElement{NpyKind::floating, 4, false}));
        EXPECT_TRUE(header.fortran_order);
        EXPECT_THAT(header.shape, ElementsAre(2, 3, 4));
        EXPECT_EQ(header.data_bytes(), 96);
        EXPECT_EQ(header.data_offset,
                  static_cast<std::int64_t>((major == 1 ? 10 : 12) + dictionary.size()));
    }
}

TEST(NpyHeader, MayBeSpacedAndOrderedDifferently) {
    const NpyHeader header =
        parse_dictionary(" { \"shape\" :( 5L , ) ,\t'fortran_order':False,\n'descr':\"<f8\"}");
    EXPECT_THAT(header.shape, ElementsAre(5));
}

TEST(NpyHeader, OfRankZeroHoldsOneElement) {
    const NpyHeader header =
        parse_dictionary("{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n");
    EXPECT_TRUE(header.shape.empty());
    EXPECT_EQ(header.count, 1);
}

TEST(NpyHeader, MayBeOfAnEmptyArray) {
    const NpyHeader header =
        parse_dictionary("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4), }\n");
    EXPECT_EQ(header.count, 0);
    EXPECT_EQ(header.data_bytes(), 0);
}

TEST(NpyHeader, OfAnotherFileIsRefused) {
    EXPECT_THAT(refusal(""), HasSubstr("is empty"));
    EXPECT_THAT(refusal("PK\x03\x04 a zip archive"),
                AllOf(HasSubstr("no .npy file"), HasSubstr("'PK\\x03\\x04 a'")));
    EXPECT_THAT(refusal("\x93NUMPZ\x01"), HasSubstr("no .npy file"));
    EXPECT_THAT(refusal(std::string(200, '\0')), HasSubstr("\\x00"));
}

TEST(NpyHeader, CutAnywhereIsRefused) {
    for (const int major : {1, 2, 3}) {
        const std::string whole = header_around(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }       \n", major);
        for (std::size_t size = 1; size < whole.size(); ++size) {
            EXPECT_THAT(refusal(whole.substr(0, size)), HasSubstr("truncated within its header"))
                << size;
        }
    }
}

TEST(NpyHeader, OfUnknownVersionIsRefused) {
    const std::string dictionary = "{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n";
    EXPECT_THAT(refusal(header_around(dictionary, 4)),
                AllOf(HasSubstr("format 4.0"), HasSubstr("expected 1.0, 2.0 or 3.0")));
    EXPECT_THAT(refusal(header_around(dictionary, 0)), HasSubstr("format 0.0"));
    std::string minor = header_around(dictionary);
    minor[7] = 1;
    EXPECT_THAT(refusal(minor), HasSubstr("format 1.1"));
}

TEST(NpyHeader, OfAbsurdLengthIsRefusedBeforeItIsRead) {
    std::string text = header_around("{}", 2);
    text[8] = text[9] = text[10] = text[11] = '\xff';
    EXPECT_THAT(refusal(text), AllOf(HasSubstr("4294967295 bytes"), HasSubstr("at most 65535")));
}

TEST(NpyHeader, OfTheGreatestLengthIsRead) {
    std::string dictionary = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
    dictionary.append(65535 - dictionary.size(), ' ');
    EXPECT_EQ(parse_dictionary(dictionary, 1).data_offset, 65545);
    EXPECT_EQ(parse_dictionary(dictionary, 2).data_offset, 65547);
    EXPECT_THAT(refusal(header_around(dictionary + " ", 2)), HasSubstr("65536 bytes"));
}

std::string with_descr(const std::string& descr) {
    return "{'descr': " + descr + ", 'fortran_order': False, 'shape': (3,), }\n";
}

TEST(NpyHeader, NamesTheTypeInAnyOfNumPysWays) {
    const struct {
        NpyElement element;
        std::vector<const char*> descrs;
        const char* text;
    } rows[] = {
        {{NpyKind::floating, 8, false},
         {"<f8", "=f8", "|f8", "f8", "float64", "double", "float", "<d", "d"},
         "float64"},
        {{NpyKind::floating, 8, true}, {">f8", ">d"}, "float64"},
        {{NpyKind::floating, 4, false}, {"<f4", "=f4", "float32", "single", "f"}, "float32"},
        {{NpyKind::floating, 4, true}, {">f4"}, "float32"},
        {{NpyKind::floating, 2, false}, {"<f2", "float16", "half", "<e"}, "float16"},
        {{NpyKind::floating, 2, true}, {">f2"}, "float16"},
        {{NpyKind::bfloat16, 2, false}, {"<V2", "|V2", "bfloat16"}, "bfloat16"},
        {{NpyKind::bfloat16, 2, true}, {">V2"}, "bfloat16"},
        {{NpyKind::signed_integer, 1, false}, {"|i1", "<i1", ">i1", "int8", "b"}, "int8"},
        {{NpyKind::signed_integer, 2, true}, {">i2"}, "int16"},
        {{NpyKind::signed_integer, 4, false}, {"<i4", "int32", "intc"}, "int32"},
        {{NpyKind::signed_integer, 8, false}, {"<i8", "int64", "int", "<l", "<q"}, "int64"},
        {{NpyKind::unsigned_integer, 1, false}, {"|u1", "uint8", "B"}, "uint8"},
        {{NpyKind::unsigned_integer, 2, false}, {"<u2", "uint16"}, "uint16"},
        {{NpyKind::unsigned_integer, 4, true}, {">u4"}, "uint32"},
        {{NpyKind::unsigned_integer, 8, false}, {"<u8", "uint64"}, "uint64"},
        {{NpyKind::boolean, 1, false}, {"|b1", "<b1", ">b1", "bool", "?"}, "bool"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(to_text(row.element), row.text);
        for (const char* descr : row.descrs) {
            const NpyHeader header = parse_dictionary(with_descr(std::string("'") + descr + "'"));
            EXPECT_EQ(header.element, row.element) << descr;
            EXPECT_EQ(header.data_bytes(), 3 * row.element.bytes) << descr;
        }
    }
}

TEST(NpyHeader, OfWhatIsNoRealNumberIsRefusedWithAdvice) {
    const std::pair<const char*, const char*> cases[] = {
        {"<f16", "long double"},
        {">f16", "long double"},
        {"float128", "long double"},
        {"<f12", "long double"},
        {"<c16", "complex"},
        {">c8", "complex"},
        {"complex128", "complex"},
        {"|O", "Python objects"},
        {"object", "Python objects"},
        {"<U3", "text"},
        {"|S5", "text"},
        {"<M8[ns]", "dates"},
        {"<m8[s]", "time"},
        {"|V16", "without a type"},
        {"<V1", "without a type"},
        {"<i3", "data of type"},
        {"<f8 ", "data of type"},
        {"", "data of type"},
        {"<", "data of type"},
        {"f8,f8", "data of type"},
        {"<float64", "data of type"},
    };
    for (const auto& [descr, what] : cases) {
        EXPECT_THAT(refusal_of_dictionary(with_descr(std::string("'") + descr + "'")),
                    AllOf(HasSubstr("holds "), HasSubstr(what), HasSubstr(", expected "),
                          HasSubstr("save "), HasSubstr(std::string("'") + descr + "'")));
    }
    EXPECT_THAT(refusal_of_dictionary(with_descr("'<f16'")), HasSubstr(".astype('float64')"));
    EXPECT_THAT(refusal_of_dictionary(with_descr("'<c16'")), HasSubstr(".real and .imag"));
    for (const char* records : {"[('x', '<f8'), ('y', '<f8')]", "('<f8', (3,))"}) {
        EXPECT_THAT(refusal_of_dictionary(with_descr(records)),
                    AllOf(HasSubstr("records of several fields"), HasSubstr("a['x']")));
    }
}

TEST(NpyHeader, MayHaveAnyRankOfNumPy) {
    EXPECT_THAT(
        parse_dictionary("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 4, 5), }\n")
            .shape,
        ElementsAre(2, 3, 4, 5));
    const auto with_ones = [](int count) {
        std::string ones;
        for (int i = 0; i < count; ++i) {
            ones += "1, ";
        }
        return "{'descr': '<f8', 'fortran_order': False, 'shape': (" + ones + "), }\n";
    };
    EXPECT_EQ(parse_dictionary(with_ones(64)).shape.size(), 64u);
    EXPECT_THAT(refusal_of_dictionary(with_ones(65)), HasSubstr("malformed"));
}

TEST(NpyHeader, OfSizesThatOverflowIsRefused) {
    for (const char* shape :
         {"(9223372036854775807,)", "(4294967296, 4294967296)", "(1152921504606846976,)",
          "(0, 9223372036854775807, 9223372036854775807)", "(2097152, 2097152, 2097152)"}) {
        EXPECT_THAT(refusal_of_dictionary(
                        std::string("{'descr': '<f8', 'fortran_order': False, 'shape': ") + shape +
                        ", }\n"),
                    AllOf(HasSubstr(shape), HasSubstr("exceeds what 64 bits can count")));
    }
    for (const char* shape : {"(9223372036854775808,)", "(99999999999999999999999999,)"}) {
        EXPECT_THAT(refusal_of_dictionary(
                        std::string("{'descr': '<f8', 'fortran_order': False, 'shape': ") + shape +
                        ", }\n"),
                    HasSubstr("exceeds 64 bits"));
    }
    const NpyHeader largest = parse_dictionary(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2305843009213693900,), }\n");
    EXPECT_GT(largest.data_bytes() + largest.data_offset, 0);
}

TEST(NpyHeader, ThatIsNoDictionaryOfTheThreeKeysIsRefused) {
    const char* const malformed[] = {
        "",
        "\n",
        "{",
        "}",
        "[]",
        "{'descr'",
        "{'descr':",
        "{'descr': '<f8",
        "{'descr': '<f8'",
        "{'descr': '<f8' 'shape': (3,)}",
        "{descr: '<f8', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': <f8, 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f8\", 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f\\x38', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f8', 'fortran_order': false, 'shape': (3,)}",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (3,)}",
        "{'descr': '<f8', 'fortran_order': 'False', 'shape': (3,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': [3]}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': 3}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3 4)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,,4)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (+3,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3.0,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0x3,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (None,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (02,3)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2,007L)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)},",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)} {}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,),,}",
        "{,'descr': '<f8', 'fortran_order': False, 'shape': (3,)}",
    };
    for (const char* dictionary : malformed) {
        EXPECT_THAT(refusal_of_dictionary(dictionary), HasSubstr("malformed header: found "))
            << dictionary;
    }
    EXPECT_THAT(refusal_of_dictionary("{}"), HasSubstr("no 'descr'"));
    EXPECT_THAT(refusal_of_dictionary("{'descr': '<f8', 'shape': (3,)}"),
                HasSubstr("no 'fortran_order'"));
    EXPECT_THAT(refusal_of_dictionary("{'descr': '<f8', 'fortran_order': False}"),
                HasSubstr("no 'shape'"));
    EXPECT_THAT(refusal_of_dictionary("{'descr': '<f8', 'descr': '<f4'}"),
                HasSubstr("repeated key 'descr'"));
    EXPECT_THAT(refusal_of_dictionary("{'colour': 'red'}"), HasSubstr("unknown key 'colour'"));
    const std::string zeros =
        std::string("{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}") +
        std::string(9, '\0');
    EXPECT_THAT(refusal_of_dictionary(zeros), HasSubstr("'\\x00' at its byte 55"));
}

TEST(NpyHeader, MessageStaysOneShortLineWhateverTheFileHolds) {
    const std::string message =
        refusal_of_dictionary("{'descr': '\n\x1b[31m" + std::string(5000, 'x') +
                              "', 'fortran_order': False, 'shape': (3,)}");
    EXPECT_LT(message.size(), 200u);
    EXPECT_THAT(message, HasSubstr("'\\x0a\\x1b[31mxxx"));
}

TEST(MakeNpyHeader, IsAlignedAndReadsBack) {
    const std::vector<std::vector<std::int64_t>> shapes{
        {}, {7}, {0}, {3, 4}, {100000, 64, 16}, {1, 1, 1152921504606846000}};
    for (const auto& shape : shapes) {
        for (const NpyType type : {NpyType::float32, NpyType::float64}) {
            if (type == NpyType::float64 && shape.size() == 3 && shape[2] > 1000000) {
                continue;  // that one fits in float32 alone
            }
            const std::string text = make_npy_header(type, shape, "V.npy");
            EXPECT_EQ(text.size() % 64, 0u);
            EXPECT_EQ(text.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
            EXPECT_THAT(text, EndsWith("\n"));
            const NpyHeader header = parse(text);
            EXPECT_EQ(header.shape, shape);
            EXPECT_EQ(npy_type(scalar_type(header.element).value()), type);
            EXPECT_FALSE(header.fortran_order);
            EXPECT_EQ(header.data_offset, static_cast<std::int64_t>(text.size()));
        }
    }
}

TEST(MakeNpyHeader, OfAStatusIsInt32) {
    const std::vector<std::int64_t> shape{5};
    EXPECT_THAT(make_npy_header(NpyType::int32, shape, "S.npy"),
                HasSubstr("{'descr': '<i4', 'fortran_order': False, 'shape': (5,), }"));
}

TEST(MakeNpyHeader, OfSizesThatOverflowIsRefused) {
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{4294967296, 4294967296}, {-1, 3}, {1152921504606846976}}) {
        EXPECT_THAT(message_of<ShapeError>(
                        [&] { (void)make_npy_header(NpyType::float64, shape, "V.npy"); }),
                    AllOf(StartsWith("V.npy: "), HasSubstr(npy_shape_text(shape))));
    }
}

}  // namespace
}  // namespace matgrad::io_test
